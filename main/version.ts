/** Of the release; raised with each, because processes of different versions hand each other no commands. */
export const VERSION = '0.1.0';
