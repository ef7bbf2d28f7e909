// uses.mts - the same of a module.
import { Kvcached, KvcachedTimeoutError } from "kvcached";
import { KvcachedStore } from "kvcached/express-session";

export const client: Kvcached = new Kvcached({ path: "/run/kvcached/socket", connections: 4 });
export const store = new KvcachedStore({ client });
export const length: number = await store.length();
export const is = (error: unknown): boolean => error instanceof KvcachedTimeoutError;
