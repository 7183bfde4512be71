// Where no load balancer sends /api/* to the API (a developer's machine, docker compose), the browser still finds it
// under the page's own address.
import type { NextRequest } from "next/server";

import { readSettings } from "../../../settings.mjs";

async function forward(request: NextRequest): Promise<Response> {
  const { apiUrl } = readSettings(process.env);
  const answer = await fetch(`${apiUrl}/api/projects${request.nextUrl.search}`, {
    method: request.method,
    body: request.method === "POST" ? await request.text() : undefined,
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    cache: "no-store",
    redirect: "manual",
    signal: AbortSignal.timeout(5000),
  }).catch(() => Response.json({ detail: "the api is unreachable" }, { status: 502 }));
  return new Response(answer.body, {
    status: answer.status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
  });
}

export { forward as GET, forward as POST };
