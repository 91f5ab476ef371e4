import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { program } from '../support/server';
import { expect, test } from '@playwright/test';

// Three nodes, HAProxy and PostgreSQL with a synchronous standby; each fault once. docs/testing.md
test('three nodes come through each fault, and none accepts what was ended', () => {
  test.setTimeout(400_000);
  const python = join(__dirname, '../.venv/bin/python');
  const said = execFileSync(python, [join(__dirname, '../../soak/nodes.py'), '--postern', program()], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  console.log(said);
  expect(said).not.toContain('VIOLATION');
  expect(said).toContain('primary_killed');
});
