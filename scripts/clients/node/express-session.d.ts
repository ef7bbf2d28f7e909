import session = require("express-session");
import { Kvcached } from "./index.js";

export interface KvcachedStoreOptions {
  /** Not closed by the store. */
  client: Kvcached;
  /** A namespace for this store's sessions and nothing else; `sessions` by default. */
  namespace?: string;
  /** Milliseconds for a session whose cookie ends with the browser; a day by default. */
  ttl?: number;
  /** JSON by default. */
  serializer?: {
    parse(text: string): session.SessionData;
    stringify(session: session.SessionData): string;
  };
}

/** Calls back where there is a callback, and returns a promise where there is none. */
export class KvcachedStore extends session.Store {
  constructor(options: KvcachedStoreOptions);

  get(id: string, callback: (error: any, session?: session.SessionData | null) => void): void;
  get(id: string): Promise<session.SessionData | null>;

  set(id: string, session: session.SessionData, callback: (error?: any) => void): void;
  set(id: string, session: session.SessionData): Promise<void>;

  destroy(id: string, callback: (error?: any) => void): void;
  destroy(id: string): Promise<void>;

  /** Gives the record the cookie's time to live again. */
  touch(id: string, session: session.SessionData, callback: () => void): void;
  touch(id: string, session: session.SessionData): Promise<void>;

  /** Needs the right admin in the namespace, as length and clear do. */
  all(callback: (error: any, sessions?: session.SessionData[] | null) => void): void;
  all(): Promise<session.SessionData[]>;

  length(callback: (error: any, length?: number) => void): void;
  length(): Promise<number>;

  /** Empties this store's namespace, and no other. */
  clear(callback: (error?: any) => void): void;
  clear(): Promise<void>;
}
