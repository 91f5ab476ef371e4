import { LoginPage } from '../pages/login';
import { Folder, Peer, registrations, settingsOf } from '../support/relying-party';
import { expect, test } from '../support/test';

// A program in a terminal, connected from a browser, with the commands of its page.

const PAGE = 'oidc-agent.md';

test.use({ settings: { clients: `[${registrations(PAGE, 'none').join(', ')}]` } });

test('oidc-agent is connected by a code, and refreshes its tokens', async ({ server, page }) => {
  const person = await server.person();
  const folder = new Folder();
  const commands = settingsOf(PAGE, 'sh', { 'https://auth.example.com': server.origin });
  // The page's commands, and a second token from the refresh token.
  const again = `curl --fail --silent --output again --oauth2-bearer "$(oidc-token --force-new postern)" ${server.origin}/oauth/userinfo`;
  const script = ["trap 'oidc-agent --kill > /dev/null' EXIT", ...commands, again, 'echo; echo refreshed'].join('\n');
  const file = folder.write('commands.sh', script);
  const terminal = Peer.run(['bash', '-eu', file], folder.path, { OIDC_ENCRYPTION_PW: 'a password of its own' });
  try {
    await expect.poll(() => /enter the code: (\S+)/.exec(terminal.log)?.[1] ?? (/rror: .*/.exec(terminal.log)?.[0] || ''), { timeout: 30_000 }).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
    const code = /enter the code: (\S+)/.exec(terminal.log)?.[1] ?? '';
    const address = /visit:\s+(\S+)/.exec(terminal.log)?.[1];
    expect(address).toBe(`${server.origin}/device`);
    await page.goto(address ?? '');
    const login = new LoginPage(page);
    await login.alive();
    await login.fill(person);
    await login.button.click();
    await page.waitForURL(`${server.origin}/device`);
    await page.getByLabel('Code').fill(code);
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect(page.getByRole('heading', { name: 'Connect a device to oidc-agent?' })).toBeVisible();
    await page.getByRole('button', { name: /^Connect/ }).click();
    await expect(page.getByText('The device is connected. You can go back to it.')).toBeVisible();
    expect(await terminal.ended()).toBe(0);
    expect(terminal.log).toContain(`"preferred_username":"${person.name}"`);
    expect(terminal.log).toMatch(/refreshed\n$/);
  } catch (error) {
    throw new Error(`the terminal shows: ${terminal.log}`, { cause: error });
  } finally {
    await terminal.end();
    folder.remove();
  }
});
