import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { program } from '../support/server';
import { expect, test } from '@playwright/test';

/** Runs three nodes, HAProxy and PostgreSQL with a synchronous standby through faults, and returns the report. See docs/testing.md. */
function nodes(...options: string[]): string {
  const python = join(__dirname, '../.venv/bin/python');
  const command = [join(__dirname, '../../soak/nodes.py'), '--postern', program(), ...options];
  const { stdout, stderr, status } = spawnSync(python, command, { encoding: 'utf8' });
  const said = stdout + stderr;
  console.log(said);
  expect(status, said).toBe(0);
  expect(said).not.toContain('VIOLATION');
  return said;
}

test('three nodes come through each fault, and none accepts what was ended', () => {
  test.setTimeout(400_000);
  const said = nodes();
  expect(said).toContain('primary_killed');
  expect(said).toContain('host_vanished');
});

test('three nodes share PgBouncer in transaction mode', () => {
  test.setTimeout(120_000);
  expect(nodes('--pooler', '--faults', 'node_killed', 'database_restarted', 'host_vanished')).toContain('host_vanished');
});
