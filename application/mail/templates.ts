/**
 * What is written to people, by the key under which a tenant or agent may have a text of its own (`emailTemplates`).
 * The first line may be `Subject: …`. `{{name}}` stands for a value; a line whose value is missing is left out.
 */
export const MAIL_TEMPLATES = {
  LOGIN_OTP: `Subject: Your log-in code for {{tenant}}

Your code to log in to {{tenant}} is {{otp}}.

It is good for {{minutes}} minutes and works once. Nobody of {{tenant}} will ever ask you for it. If you did not try to log
in, change your password.
`,
  TRANSACTION_OTP: `Subject: Your confirmation code for {{tenant}}

Your code to confirm a transaction at {{tenant}} is {{otp}}.

It is good for {{minutes}} minutes and works once. If you did not ask for it, do not give it to anybody and tell us.
`,
  PASSWORD_RESET: `Subject: Set a new password at {{tenant}}

Somebody, probably you, asked to set a new password at {{tenant}}.

Your code is {{otp}}.
Or follow this link: {{link}}

Both work once, for {{minutes}} minutes. If it was not you, there is nothing to do: your password stays as it is.
`,
  INVITATION: `Subject: Your account at {{tenant}}

An account at {{tenant}} was made for you. Set a password to use it.

Your code is {{otp}}.
Or follow this link: {{link}}

Both work once, for three days.
`,
  PASSWORD_CHANGED: `Subject: Your password at {{tenant}} was changed

The password of your account at {{tenant}} was changed, and you were logged out elsewhere.

If it was not you, set a new one at once and tell us.
`,
} as const;

export type MailTemplate = keyof typeof MAIL_TEMPLATES;
