import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** A page whose script asks the app for the signed-in person, without leaving the page. */
const PAGE = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>app</title><h1>The app</h1>
<script>
  window.me = async () => {
    const answer = await fetch('/api/me', { redirect: 'manual' });
    const json = (answer.headers.get('content-type') ?? '').includes('json') && answer.ok;
    return { status: answer.status, type: answer.type, me: json ? await answer.json() : null };
  };
  window.socket = () => new Promise((resolve) => {
    const socket = new WebSocket('wss://' + location.host + '/socket');
    socket.onmessage = ({ data }) => resolve(data);
    socket.onclose = () => resolve('closed');
  });
</script>`;

/** An app that uses no code of this project: it trusts its proxy's headers and records all requests. */
export class Upstream {
  /** The requests that reached it, in order. */
  readonly seen: { method: string; url: string; headers: IncomingHttpHeaders }[] = [];

  private readonly sockets = new Set<Duplex>();

  private constructor(
    private readonly http: HttpServer,
    readonly port: number,
  ) {}

  static async start(): Promise<Upstream> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const upstream = new Upstream(http, (http.address() as AddressInfo).port);
    http.on('request', (request, response) => {
      upstream.note(request);
      if (request.url === '/api/me') {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(request.headers));
      } else {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
      }
    });
    // RFC 6455: one text frame with the name of the person.
    http.on('upgrade', (request, socket) => {
      upstream.note(request);
      upstream.sockets.add(socket);
      const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      const name = Buffer.from(String(request.headers['remote-user']));
      socket.write(Buffer.concat([Buffer.from([0x81, name.length]), name]));
      socket.on('error', () => socket.destroy());
    });
    return upstream;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  private note(request: IncomingMessage): void {
    this.seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
  }
}
