import type { Metadata } from "next";
import type { ReactNode } from "react";

import { readSettings, readStyle } from "../settings.mjs";

// Every page is rendered for each request: the build has neither settings nor site.json.
export const dynamic = "force-dynamic";

export function generateMetadata(): Metadata {
  return { title: readSettings(process.env).site.title, icons: { icon: "data:," } };
}

// The style is in the page: while a new version rolls out, a file of its own could be asked from a task of the old one.
export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <head>
        <style dangerouslySetInnerHTML={{ __html: readStyle() }} />
      </head>
      <body>{children}</body>
    </html>
  );
}
