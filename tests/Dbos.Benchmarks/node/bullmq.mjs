// BullMQ's side of the benchmark `queue`.
//
//   node bullmq.mjs PORT REDIS_PORT PAYLOAD
//
// POST /version
// POST /add?jobs=N&inFlight=N                one add for each job
// POST /addBulk?jobs=N&inFlight=N&size=N     addBulk for as many jobs at a time
// POST /process?jobs=N&concurrency=N&keep=B  one Worker that does nothing; keep=false removes what is completed
//
// The last three answer how many seconds it took, without connecting, until Redis has confirmed the last job.

import { createRequire } from 'node:module';
import { Queue, Worker } from 'bullmq';
import { inFlight, seconds, serve } from './control.mjs';

const [port, redisPort, payload] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(redisPort) };
const name = 'measurements';
// BullMQ keeps a job's data as JSON: written so, it is the payload again, byte for byte.
const data = JSON.parse(payload);
if (JSON.stringify(data) !== payload) throw new Error('the payload is not in the form that JSON.stringify writes');

const { version } = createRequire(import.meta.url)('bullmq/package.json');
const queue = new Queue(name, { connection });
await queue.waitUntilReady();

serve(port, {
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
});
