// express-session.mjs - the same store for import.
import store from "./express-session.js";

export const { KvcachedStore } = store;
