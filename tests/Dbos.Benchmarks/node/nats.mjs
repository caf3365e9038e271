// NATS JetStream's side of the benchmark `queue`: a work queue in files, with a pull consumer.
//
//   node nats.mjs PORT NATS_PORT PAYLOAD
//
// POST /version
// POST /publish?jobs=N&inFlight=N            publishes each job by itself; JetStream confirms it
// POST /process?jobs=N&size=N&takers=N       fetches `size` jobs at a time; JetStream confirms each acknowledgement
//
// The last two answer how many seconds it took until the last confirmation.

import { createRequire } from 'node:module';
import { AckPolicy, connect, RetentionPolicy, StorageType } from 'nats';
import { inFlight, seconds, serve } from './control.mjs';

const [port, natsPort, payload] = process.argv.slice(2);
const name = 'measurements';
const data = new TextEncoder().encode(payload);

const { version } = createRequire(import.meta.url)('nats/package.json');
const connection = await connect({ servers: `127.0.0.1:${natsPort}` });
const manager = await connection.jetstreamManager();
await manager.streams.add({ name, subjects: [name], storage: StorageType.File, retention: RetentionPolicy.Workqueue });
await manager.consumers.add(name, { durable_name: name, ack_policy: AckPolicy.Explicit });
const jetStream = connection.jetstream();
const consumer = await jetStream.consumers.get(name, name);

serve(port, {
  '/version': () => `NATS ${connection.info.version}, nats.js ${version}`,

  '/publish': ({ jobs, inFlight: workers }) =>
    seconds(() => inFlight(workers, jobs, () => jetStream.publish(name, data))),

  '/process': ({ jobs, size, takers }) => seconds(() => inFlight(takers, jobs / size, async () => {
    const acknowledged = [];
    const messages = await consumer.fetch({ max_messages: size });
    for await (const message of messages) acknowledged.push(message.ackAck());
    if (acknowledged.length !== size) throw new Error(`${acknowledged.length} of ${size} jobs were fetched`);
    if (!(await Promise.all(acknowledged)).every(Boolean)) throw new Error('an acknowledgement was not confirmed');
  })),
});
