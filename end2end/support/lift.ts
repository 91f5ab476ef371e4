import { expect } from '@playwright/test';
import { Client } from './client';
import type { Server } from './server';

/** Lifts the ban of an address as an operator; resolves when the running server has read the change. */
export async function lift(server: Server, address = '127.0.0.1'): Promise<void> {
  const lifted = await server.command(['ban', 'lift', address]);
  expect(lifted.stdout).toContain(`The bans on ${address} are lifted`);
  const client = new Client(server, address);
  await expect.poll(async () => (await client.get('/api/challenge')).status, { intervals: [100], timeout: 20_000 }).toBe(200);
}
