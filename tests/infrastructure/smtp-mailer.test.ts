/** The SMTP mailer against a server of a few lines. */
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { SmtpMailer } from '../../infrastructure/mail/smtp-mailer.js';

/** Speaks as much SMTP as is needed to take a mail; `refuse` answers the recipient with an error. */
async function smtpServer(t: Test, refuse = false): Promise<{ port: number; commands: string[]; mails: string[] }> {
  const [commands, mails]: [string[], string[]] = [[], []];
  const server = createServer((socket) => {
    let data: string | undefined;
    let rest = '';
    const say = (line: string) => socket.write(`${line}\r\n`);
    say('220 test');
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (data !== undefined) {
          if (line !== '.') data += `${line}\n`;
          else {
            mails.push(data);
            data = undefined;
            say('250 taken');
          }
          continue;
        }
        commands.push(line);
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'DATA') {
          data = '';
          say('354 go on');
        } else if (verb === 'RCPT' && refuse) say('550 nobody');
        else say(verb === 'EHLO' ? '250 test' : '250 ok');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, commands, mails };
}

const MAIL = { tenantId: 't', owner: 'o', fromName: 'Demo, Ltd', subject: 'Your code', text: 'It is 493021.\n.dot\n' };

t.test('hands a mail over', async (t) => {
  const { port, commands, mails } = await smtpServer(t);
  const mailer = new SmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: 'no-reply@demo.example' });
  t.teardown(() => mailer.close());
  await mailer.send({ ...MAIL, to: 'ada@example.com' });
  t.ok(commands.includes('MAIL FROM:<no-reply@demo.example>'), commands.join());
  t.ok(commands.includes('RCPT TO:<ada@example.com>'));
  t.match(mails[0], /^From: "Demo, Ltd" <no-reply@demo\.example>$/m);
  t.match(mails[0], /^Auto-Submitted: auto-generated$/m);
  t.match(mails[0], 'It is 493021.');

  await mailer.send({
    ...MAIL,
    to: 'b@example.com',
    subject: 'A\r\nBcc: evil@example.com',
    fromName: 'X\r\nBcc: evil@e.com',
  });
  t.notMatch(mails[1], /^Bcc:/m, 'no header is smuggled in');
  t.equal(commands.filter((line) => line.startsWith('RCPT')).length, 2, 'nor a recipient');
});

t.test('says when it could not', async (t) => {
  const { port } = await smtpServer(t, true);
  const mailer = new SmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: 'no-reply@demo.example' });
  t.teardown(() => mailer.close());
  await t.rejects(mailer.send({ ...MAIL, to: 'nobody@example.com' }), /550/);
  const gone = new SmtpMailer({ url: 'smtp://127.0.0.1:1', from: 'no-reply@demo.example' });
  t.teardown(() => gone.close());
  await t.rejects(gone.send({ ...MAIL, to: 'ada@example.com' }), /ECONNREFUSED/);
});
