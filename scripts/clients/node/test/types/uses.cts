// uses.cts - what a program in TypeScript writes; compiled, and never run.
import express = require("express");
import session = require("express-session");
import { Kvcached, KvcachedClientError, KvcachedError, KvcachedRangeError } from "kvcached";
import { KvcachedStore } from "kvcached/express-session";

async function uses(client: Kvcached): Promise<void> {
  const done: void = await client.put("a", "b", Buffer.from("c"), { ttl: 1000, flags: 1 });
  await client.putMany("a", new Map([["b", "c"]]), { ttl: "never" });
  await client.putMany("a", Object.entries({ b: "c" }));
  const added: boolean = await client.add("a", "b", new Uint8Array(3));
  const bytes: Buffer | undefined = await client.get("a", "b");
  const text: string | undefined = await client.get("a", "b", "utf8");
  const same: string | undefined = await client.get("a", "b", { encoding: "utf8", timeout: 5 });
  const all: (Buffer | undefined)[] = await client.getMany("a", ["b", Buffer.from("c")]);
  const texts: (string | undefined)[] = await client.getMany("a", new Set(["b"]), "utf8");
  const gone: boolean[] = await client.deleteMany("a", ["b"]);
  const number: number | undefined = await client.incr("a", "b", 2);
  const bigint: bigint | undefined = await client.decr("a", "b", 2n);
  const controller = new AbortController();
  for await (const key of client.list("a", "b*", { signal: controller.signal })) {
    key.toUpperCase();
  }
  for await (const key of client.list("a", undefined, { keyEncoding: "buffer" })) {
    key.readUInt8(0);
  }
  for await (const [key, value] of client.all("a")) {
    value.readUInt8(key.length);
  }
  for await (const [key, value] of client.all("a", "*", { encoding: "utf8" })) {
    value.startsWith(key);
  }
  const figures: Record<string, string> = await client.stats();
  const ofOne: Record<string, string> | undefined = await client.stats("a");

  // @ts-expect-error: a value is bytes
  await client.put("a", "b", 7);
  // @ts-expect-error: there may be no such record
  (await client.get("a", "b")).length;
  // @ts-expect-error: a Buffer has no such method
  (await client.get("a", "b"))?.toUpperCase();
  // @ts-expect-error: there is no such option
  await client.put("a", "b", "c", { tll: 7 });
  // @ts-expect-error: there is no such operation
  await client.replace("a", "b", "c");
}

function tells(error: unknown): string {
  if (error instanceof KvcachedRangeError) {
    return String(error.value + 1n);
  }
  if (error instanceof KvcachedClientError) {
    return error.text;
  }
  return error instanceof KvcachedError ? `${error.code} ${error.outcomeUnknown}` : "";
}

const client = new Kvcached("127.0.0.1:7171", { tls: { ca: "x" }, user: "a", secret: "b" });
const app = express();
const store: session.Store = new KvcachedStore({ client, namespace: "sessions" });
app.use(session({ secret: "x", store }));
export { tells, uses };
