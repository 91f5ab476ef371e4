import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { program } from '../support/server';
import { expect, test } from '@playwright/test';

// Three nodes, HAProxy and PostgreSQL with a synchronous standby; each fault once. See docs/testing.md.
test('three nodes come through each fault, and none accepts what was ended', () => {
  test.setTimeout(400_000);
  const python = join(__dirname, '../.venv/bin/python');
  const { stdout, stderr, status } = spawnSync(python, [join(__dirname, '../../soak/nodes.py'), '--postern', program()], { encoding: 'utf8' });
  const said = stdout + stderr;
  console.log(said);
  expect(status, said).toBe(0);
  expect(said).not.toContain('VIOLATION');
  expect(said).toContain('primary_killed');
});
