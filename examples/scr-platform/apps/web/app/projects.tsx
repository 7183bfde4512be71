"use client";

import { useState, type FormEvent } from "react";

import type { Project } from "./api";
import { ELEMENT } from "./browser-settings";

/** The list as the server found it (null: it did not), and a form that asks the API from the browser. */
export function Projects({ listed, shown }: { listed: Project[] | null; shown: number }) {
  const [projects, setProjects] = useState(listed);
  const [problem, setProblem] = useState("");

  async function attempt(work: () => Promise<void>) {
    setProblem("");
    try {
      await work();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  async function refresh() {
    setProjects((await call(`/api/projects?limit=${shown}`)) as Project[]);
  }

  function add(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const name = new FormData(form).get("name");
    void attempt(async () => {
      await call("/api/projects", { name });
      form.reset();
      await refresh();
    });
  }

  return (
    <>
      <List projects={projects} />
      <form onSubmit={add}>
        <input name="name" aria-label="Name of a new project" placeholder="A new project" required maxLength={100} />
        <button>Add</button>
        <button type="button" onClick={() => void attempt(refresh)}>
          Refresh
        </button>
      </form>
      <p className="bad" role="status">
        {problem}
      </p>
    </>
  );
}

function List({ projects }: { projects: Project[] | null }) {
  if (projects === null) return <p className="quiet">Projects cannot be loaded while the api is unavailable.</p>;
  if (projects.length === 0) return <p className="quiet">None yet.</p>;
  return (
    <ul>
      {projects.map(({ name, stage }) => (
        <li key={name}>
          <span>{name}</span>
          <span className="quiet">{stage}</span>
        </li>
      ))}
    </ul>
  );
}

/** GET, or POST of `body`. Throws with words for a person. */
async function call(path: string, body?: unknown): Promise<unknown> {
  const { apiUrl } = JSON.parse(document.getElementById(ELEMENT)?.textContent ?? "{}") as { apiUrl: string };
  const headers = { "Content-Type": "application/json" };
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers };
  const response = await fetch(apiUrl + path, { cache: "no-store", ...options });
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const detail = answer !== null && typeof answer === "object" && "detail" in answer ? answer.detail : null;
  throw new Error(typeof detail === "string" ? detail : `the api returned ${response.status} ${response.statusText}`);
}
