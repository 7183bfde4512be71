import { readSettings } from "../settings.mjs";
import { ask, type Answer } from "./api";
import { BrowserSettings } from "./browser-settings";
import { Projects } from "./projects";

export default async function Page() {
  const settings = readSettings(process.env);
  const answer = await ask(settings.apiUrl, settings.site.projectsShown);
  return (
    <main>
      <h1>{settings.site.title}</h1>
      <p className="quiet">{settings.site.tagline}</p>
      <section aria-label="Versions">
        <dl>
          <dt>web</dt>
          <dd>
            <code id="web-version">{settings.version}</code>
          </dd>
          <dt>api</dt>
          <dd id="api">
            <Api answer={answer} />
          </dd>
        </dl>
      </section>
      <section>
        <h2>Projects</h2>
        <Projects listed={answer.problem === null ? answer.projects : null} shown={settings.site.projectsShown} />
      </section>
      <BrowserSettings settings={settings} />
    </main>
  );
}

function Api({ answer }: { answer: Answer }) {
  if (answer.problem !== null) return <span className="bad">{answer.problem}</span>;
  const revision = answer.revision ? `database revision ${answer.revision}` : "database not migrated";
  return (
    <>
      <code id="api-version">{answer.version}</code> <span className="good">ok</span>{" "}
      <span className="quiet">{`· ${revision}`}</span>
    </>
  );
}
