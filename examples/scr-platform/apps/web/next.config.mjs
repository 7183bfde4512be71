// Nothing here is an address, a key or a version: what is built is the same for every environment.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;

/**
 * The same sources give the same build. Next.js would take a random name, and a folder whose name happens to begin with
 * "BZh" looks like a bzip2 file to Docker's older builder, which then can't copy it.
 */
function sourcesHash() {
  const names = readdirSync(join(here, "app"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const files = [...names.sort(), ...["pnpm-lock.yaml", "proxy.ts", "settings.mjs"].map((name) => join(here, name))];
  const hash = createHash("sha256");
  for (const file of files) hash.update(file.slice(here.length)).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex").slice(0, 20);
}

/** @type {import("next").NextConfig} */
const config = {
  output: "standalone",
  poweredByHeader: false,
  generateBuildId: sourcesHash,
  // A lock file further up is not this app's.
  outputFileTracingRoot: here,
  turbopack: { root: here },
  images: { unoptimized: true },
};

export default config;
