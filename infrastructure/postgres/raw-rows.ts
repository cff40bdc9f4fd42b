import type { CustomTypesConfig } from 'pg';

/** Every column as the text that the server sent: who asks knows its types, and amounts never become numbers. */
export const RAW_TYPES: CustomTypesConfig = { getTypeParser: () => (text: string) => text };
