// What the drivers of this folder share: loads that are started over HTTP, so that a process stays warm between rounds.

import { createServer } from 'node:http';

/** Makes so many calls, with `workers` of them in flight. */
export async function inFlight(workers, calls, call) {
  let started = 0;
  await Promise.all(Array.from({ length: workers }, async () => {
    while (started++ < calls) await call();
  }));
}

export async function seconds(action) {
  const since = performance.now();
  await action();
  return (performance.now() - since) / 1000;
}

/** Serves `POST /action?name=value`; values are JSON, and the reply is what the action returns. */
export function serve(port, actions) {
  createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    const settings = Object.fromEntries([...searchParams].map(([key, value]) => [key, JSON.parse(value)]));
    try {
      response.end(String(await actions[pathname](settings)));
    } catch (error) {
      response.writeHead(500).end(String(error.stack));
    }
  }).listen(Number(port), '127.0.0.1');
}
