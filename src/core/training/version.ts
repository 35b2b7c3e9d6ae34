/** Name of the built-in trainer. Its number changes with every change of the bytes it makes from equal inputs. */
export const builtInTrainer = 'built-in/1';
