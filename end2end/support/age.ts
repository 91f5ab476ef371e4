import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Person, Server } from './server';

const AGE = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=10)
with database:
    changed = database.execute("UPDATE sessions SET auth_time = auth_time - 600000 WHERE user_id = (SELECT id FROM users WHERE name = ?)", (sys.argv[2],))
assert changed.rowcount > 0
`;

/** Changes the proofs of a person's sessions to ten minutes ago. */
export function age(server: Server, person: Person): void {
  execFileSync('python3', ['-c', AGE, join(server.dataDir, 'postern.db'), person.name]);
}
