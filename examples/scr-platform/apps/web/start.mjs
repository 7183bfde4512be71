// Starts the standalone server that `next build` made: `node start.mjs`, in the folder of server.js.
import { subscribe } from "node:diagnostics_channel";

import { ConfigurationError, readSettings } from "./settings.mjs";

function settings() {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(`scr-web: configuration error: ${error.message}`);
    process.exit(3);
  }
}

// A connection that was only just made may have a request under way.
const GRACE_MILLISECONDS = 200;
// Nobody is waited for longer; a page takes two seconds at most, when the API doesn't answer.
const STOP_LIMIT_MILLISECONDS = 3000;

/**
 * On SIGTERM Next.js takes no more connections, and ends with 143 when it has none left: a stop that was asked for is
 * no failure, and a client that keeps its connection for nothing must not hold it up.
 */
function stopWell() {
  /** @type {Set<import("node:net").Socket>} */
  const idle = new Set();
  let stopping = false;
  onSocket("net.server.socket", (socket) => {
    idle.add(socket);
    socket.once("close", () => idle.delete(socket));
  });
  onSocket("http.server.request.start", (socket) => void idle.delete(socket));
  onSocket("http.server.response.finish", (socket) => {
    if (stopping) socket.end();
    else if (!socket.destroyed) idle.add(socket);
  });
  process.once("SIGTERM", () => {
    stopping = true;
    const stopped = () => process.exit(0);
    process.once("exit", () => void (process.exitCode = 0));
    // It listens to the signal only from when it serves.
    if (process.listenerCount("SIGTERM") === 0) stopped();
    setTimeout(() => idle.forEach((socket) => socket.destroy()), GRACE_MILLISECONDS).unref();
    setTimeout(stopped, STOP_LIMIT_MILLISECONDS).unref();
  });
}

/**
 * @param {string} channel
 * @param {(socket: import("node:net").Socket) => void} listener
 */
function onSocket(channel, listener) {
  subscribe(channel, (message) => listener(/** @type {{ socket: import("node:net").Socket }} */ (message).socket));
}

stopWell();
process.chdir(import.meta.dirname);
const { bindAddress, port, version } = settings();
// What server.js reads. Docker sets HOSTNAME to the container's name: never where to listen.
process.env.HOSTNAME = bindAddress;
process.env.PORT = String(port);
// Longer than the load balancer keeps an idle connection (60 s), or it would now and then write into a closed one.
process.env.KEEP_ALIVE_TIMEOUT ??= "65000";
process.env.NEXT_TELEMETRY_DISABLED = "1";
console.log(`scr-web: version ${version}, starting on http://${bindAddress}:${port}`);
const server = "./server.js";
await import(server);
