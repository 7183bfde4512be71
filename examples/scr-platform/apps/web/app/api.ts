// What the API says, asked anew for each page. On the server.
import { getSystemErrorMap } from "node:util";

const TIMEOUT_MILLISECONDS = 2000;

export type Project = { name: string; stage: string };
export type Answer =
  | { problem: null; version: string; revision: string | null; projects: Project[] }
  | { problem: string };

class StatusError extends Error {}
class ContentError extends Error {}

/** Never throws: a page without the API is still a page. */
export async function ask(apiUrl: string, projectsShown: number): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    // Under /api, not /health: that is what the load balancer routes to the API.
    const [health, listed] = await Promise.all([
      get(`${apiUrl}/api/health`, signal),
      get(`${apiUrl}/api/projects?limit=${projectsShown}`, signal),
    ]);
    return { problem: null, ...readHealth(health), projects: readProjects(listed) };
  } catch (error) {
    if (error instanceof StatusError) return { problem: `api returned ${error.message}` };
    if (error instanceof ContentError) return { problem: "api returned an unexpected response" };
    return { problem: `api unreachable (${reason(error)})` };
  }
}

async function get(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, {
    cache: "no-store",
    headers: { Accept: "application/json" },
    redirect: "manual",
    signal,
  });
  const body = await response.text();
  if (response.status !== 200) throw new StatusError(`${response.status} ${response.statusText}`.trim());
  try {
    return JSON.parse(body);
  } catch {
    throw new ContentError();
  }
}

function readHealth(value: unknown): { version: string; revision: string | null } {
  const { version, revision } = record(value);
  if (typeof version !== "string" || (typeof revision !== "string" && revision !== null)) throw new ContentError();
  return { version, revision };
}

function readProjects(value: unknown): Project[] {
  if (!Array.isArray(value)) throw new ContentError();
  return value.map((entry) => {
    const { name, stage } = record(entry);
    return { name: String(name), stage: String(stage) };
  });
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ContentError();
  return value as Record<string, unknown>;
}

/** In words, as the system has them: fetch itself only says that it failed. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "timed out";
  const cause = error.cause as { code?: string; message?: string } | undefined;
  const [, words] = [...getSystemErrorMap().values()].find(([name]) => name === cause?.code) ?? [];
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : cause?.message || cause?.code || error.message;
}
