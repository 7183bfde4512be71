// Nothing here is an address, a key or a version: what is built is the same for every environment.
const here = import.meta.dirname;

/** @type {import("next").NextConfig} */
const config = {
  output: "standalone",
  poweredByHeader: false,
  // A lock file further up is not this app's.
  outputFileTracingRoot: here,
  turbopack: { root: here },
  images: { unoptimized: true },
};

export default config;
