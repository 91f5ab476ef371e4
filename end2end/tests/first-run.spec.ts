import { LoginPage } from '../pages/login';
import { TimePage } from '../pages/time';
import { freePort } from '../support/server';
import { Machine } from '../support/terminal';
import { expect, test } from '../support/test';

test.use({ alone: true });

test('the first run tells the time, in the browser and in a terminal', async ({ page, server, watch }) => {
  // The first proof is refused with the nonce that it needs.
  watch.allowStatus(401);
  const [web, tcp] = [await freePort(), await freePort()];
  await server.restart({
    'time.embedded': 'true',
    'time.listen': `127.0.0.1:${web}`,
    'time.listen_tcp': `127.0.0.1:${tcp}`,
  });
  expect(server.greeting).toContain(`The time server listens on ws://localhost:${web}/time`);

  const person = await server.person();
  await new LoginPage(page).signIn(person);
  const view = new TimePage(page);
  await view.open();
  await view.start();
  await expect(view.clock).toHaveText(/\d\d:\d\d:\d\d\.\d{9}/);

  const machine = await Machine.make();
  await machine.run(['login', person.name, '--server', server.origin, '--password-stdin'], `${person.password}\n`);
  expect((await machine.run(['time'])).stdout).toMatch(/\d\d:\d\d:\d\d\.\d{9}Z/);
  await machine.remove();
});
