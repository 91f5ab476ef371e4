import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Another website: one page, on a port of its own. `localhost` makes it same-site, `127.0.0.1` another site. */
export class Elsewhere {
  private constructor(
    private readonly http: HttpServer,
    readonly port: number,
  ) {}

  static async serve(html: string): Promise<Elsewhere> {
    const http = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!DOCTYPE html><title>elsewhere</title>${html}`);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return new Elsewhere(http, (http.address() as AddressInfo).port);
  }

  origin(host: 'localhost' | '127.0.0.1'): string {
    return `http://${host}:${this.port}`;
  }

  async close(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
}
