// BullMQ's side of the benchmark `queue`, in a process that stays warm between the rounds.
//
//   node server.js PORT REDIS_PORT PAYLOAD
//
// POST /add?jobs=N&inFlight=N                one add for each job
// POST /addBulk?jobs=N&inFlight=N&size=N     addBulk for as many jobs at a time
// POST /process?jobs=N&concurrency=N&keep=B  one Worker that does nothing; keep=false removes what is completed
//
// POST /version
//
// Each of the first three answers how many seconds it took: without connecting, and until Redis has confirmed
// the last job.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Queue, Worker } from 'bullmq';

const [port, redisPort, payload] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(redisPort) };
const name = 'measurements';
// BullMQ keeps a job's data as JSON: written so, it is the payload again, byte for byte.
const data = JSON.parse(payload);
if (JSON.stringify(data) !== payload) throw new Error('the payload is not in the form that JSON.stringify writes');

const { version } = createRequire(import.meta.url)('bullmq/package.json');
const queue = new Queue(name, { connection });
await queue.waitUntilReady();

async function inFlight(workers, calls, call) {
  let started = 0;
  await Promise.all(Array.from({ length: workers }, async () => {
    while (started++ < calls) await call();
  }));
}

async function seconds(action) {
  const since = performance.now();
  await action();
  return (performance.now() - since) / 1000;
}

const actions = {
  '/version': () => `BullMQ ${version}, Node.js ${process.version}`,

  '/add': ({ jobs, inFlight: workers }) =>
    seconds(() => inFlight(workers, jobs, () => queue.add('ping', data))),

  '/addBulk': ({ jobs, inFlight: workers, size }) =>
    seconds(() => inFlight(workers, jobs / size, () => queue.addBulk(Array.from({ length: size }, () => ({ name: 'ping', data }))))),

  '/process': async ({ jobs, concurrency, keep }) => {
    const worker = new Worker(name, async () => {}, { connection, concurrency, autorun: false, ...(!keep && { removeOnComplete: { count: 0 } }) });
    await worker.waitUntilReady();
    const taken = await seconds(() => new Promise((resolve, reject) => {
      let completed = 0;
      worker.on('completed', () => ++completed === jobs && resolve());
      worker.on('failed', (_, error) => reject(error));
      worker.on('error', reject);
      worker.run().catch(reject);
    }));
    await worker.close();
    return taken;
  },
};

createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const settings = Object.fromEntries([...searchParams].map(([key, value]) => [key, JSON.parse(value)]));
  try {
    response.end(String(await actions[pathname](settings)));
  } catch (error) {
    response.writeHead(500).end(String(error.stack));
  }
}).listen(Number(port), '127.0.0.1');
