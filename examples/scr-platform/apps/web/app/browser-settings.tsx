import type { Settings } from "../settings.mjs";

export const ELEMENT = "browser-settings";

/** What scripts in the browser may know of the environment, as JSON: nothing of it is in what was built. */
export function BrowserSettings({ settings }: { settings: Settings }) {
  const { publicApiUrl: apiUrl, clerkPublishableKey } = settings;
  // No `<` in it, so that no value ends the element.
  const json = JSON.stringify({ apiUrl, clerkPublishableKey }).replaceAll("<", "\\u003c");
  return <script id={ELEMENT} type="application/json" dangerouslySetInnerHTML={{ __html: json }} />;
}
