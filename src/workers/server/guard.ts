import { spawn } from 'node:child_process';

/*
 * Runs a program that must not outlive whoever asked for it: `node guard.js PROGRAM ARGUMENTS…`.
 * The asker holds the other end of stdin, which the kernel closes however the asker dies, kill -9 included.
 * Prints the program's pid as one JSON line; the program's own output goes to stderr.
 */
const [program = '', ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 2, 2], windowsHide: true });
const stop = () => child.kill('SIGTERM');

child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.on('spawn', () => process.stdout.write(`${JSON.stringify({ pid: child.pid })}\n`));
child.on('exit', (code) => process.exit(code ?? 1));
process.stdin.on('end', stop).on('error', stop).resume();
process.on('SIGTERM', stop);
// Whoever read these may be gone: that must not end the guard before its program.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
