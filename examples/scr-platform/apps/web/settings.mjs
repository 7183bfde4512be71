// What the page needs to know: the site's own `site.json`, part of the release, and the environment it runs in. Read
// when the server runs, never when it is built: one image serves every environment.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A setting is missing or wrong; the message names it and says what would be right. */
export class ConfigurationError extends Error {}

/**
 * @typedef {{ title: string, tagline: string, projectsShown: number }} Site
 * @typedef {{ site: Site, version: string, bindAddress: string, port: number, apiUrl: string, publicApiUrl: string,
 *   clerkPublishableKey: string }} Settings
 */

/**
 * Throws ConfigurationError.
 * @param {Record<string, string | undefined>} environ
 * @returns {Settings}
 */
export function readSettings(environ) {
  const port = environ.PORT ?? "3000";
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    throw new ConfigurationError(`PORT is '${port}': expected a number from 1 to 65535`);
  }
  return {
    site: readSite(file("site.json")),
    version: environ.APP_VERSION ?? "dev",
    bindAddress: environ.BIND_ADDRESS ?? "127.0.0.1",
    port: Number(port),
    apiUrl: address("API_URL", environ.API_URL ?? "http://127.0.0.1:8000"),
    // For the browser. Empty: the API is under /api of the page's own address, as behind the load balancer.
    publicApiUrl: environ.PUBLIC_API_URL ? address("PUBLIC_API_URL", environ.PUBLIC_API_URL) : "",
    clerkPublishableKey: environ.CLERK_PUBLISHABLE_KEY ?? "",
  };
}

/** The page's look, shared with scr_web. */
export function readStyle() {
  return readFileSync(file("page.css"), "utf8");
}

/**
 * The comment keeps the build from taking it along: the image gets it late, so that another one is built at once.
 * @param {string} name
 */
function file(name) {
  return join(/* turbopackIgnore: true */ process.cwd(), name);
}

/**
 * @param {string} path
 * @returns {Site}
 */
function readSite(path) {
  let values;
  try {
    values = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new ConfigurationError(`site.json is not JSON: ${error.message.split("\n")[0]}`);
    }
    throw new ConfigurationError("site.json is missing; it must be beside start.mjs");
  }
  return {
    title: text(values, "title"),
    tagline: text(values, "tagline"),
    projectsShown: number(values, "projects_shown"),
  };
}

/**
 * @param {Record<string, unknown>} values
 * @param {string} name
 */
function required(values, name) {
  const value = values?.[name];
  if (value === undefined) {
    throw new ConfigurationError(`site.json: required setting '${name}' is missing`);
  }
  return value;
}

/**
 * @param {Record<string, unknown>} values
 * @param {string} name
 */
function text(values, name) {
  const value = required(values, name);
  if (typeof value !== "string") {
    throw new ConfigurationError(`site.json: '${name}' is ${JSON.stringify(value)}: expected text`);
  }
  return value;
}

/**
 * @param {Record<string, unknown>} values
 * @param {string} name
 */
function number(values, name) {
  const value = required(values, name);
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 100) {
    throw new ConfigurationError(
      `site.json: '${name}' is ${JSON.stringify(value)}: expected a whole number from 1 to 100`,
    );
  }
  return value;
}

/**
 * @param {string} name
 * @param {string} value
 */
function address(name, value) {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !["http:", "https:"].includes(url.protocol) || !url.hostname || url.username || url.password) {
    throw new ConfigurationError(`${name} is '${value}': expected http://host[:port] or https://host[:port]`);
  }
  return value.replace(/\/+$/, "");
}
