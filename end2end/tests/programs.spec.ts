import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environment, type Person } from '../support/server';
import { expect, test } from '../support/test';

const PAGE = join(__dirname, '../../docs/programs.md');

/** Returns the only code block of a language on the page. */
async function shown(language: string): Promise<string> {
  const found = (await readFile(PAGE, 'utf8')).split('```').filter((piece) => piece.startsWith(`${language}\n`));
  expect(found).toHaveLength(1);
  return String(found[0]).slice(language.length + 1);
}

function run(command: string, args: string[], input: string, variables: NodeJS.ProcessEnv = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { env: { ...environment(), ...variables } }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}${stderr}`));
      else resolve(stdout);
    });
    child.stdin?.end(input);
  });
}

test('what the page for programs shows signs in, asks and refreshes', async ({ server }) => {
  const ada = await server.person();
  // Beside the tests' own packages, because the script imports a library from there.
  const folder = await mkdtemp(join(__dirname, '../test-results/programs-'));
  try {
    const script = join(folder, 'sign-in.mjs');
    await writeFile(script, await shown('js'));
    const signIn = async ({ name, password }: Person) => JSON.parse(await run('node', [script, server.origin, name], `${password}\n`));

    const { session, tokens } = await signIn(ada);
    expect([session.username, session.bound, tokens.token_type]).toEqual([ada.name, false, 'Bearer']);
    const said = await run('bash', ['-euc', await shown('sh')], '', { ORIGIN: server.origin, ACCESS: tokens.access_token, REFRESH: tokens.refresh_token });
    const [me, next] = said.replace('}{', '}\n{').split('\n').map((line) => JSON.parse(line));
    expect(me).toEqual(session);
    expect(next.session.id).toBe(session.id);
    expect(next.tokens.refresh_token).not.toBe(tokens.refresh_token);
    await expect(signIn({ ...ada, password: 'a guess' })).rejects.toThrow('wrong_credentials');
  } finally {
    await rm(folder, { recursive: true });
  }
});
