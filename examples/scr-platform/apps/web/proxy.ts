// Runs before the page: headers that are known only when the server runs.
import { NextResponse } from "next/server";

import { readSettings } from "./settings.mjs";

export function proxy() {
  const response = NextResponse.next();
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-App-Version", readSettings(process.env).version);
  return response;
}

export const config = { matcher: "/" };
