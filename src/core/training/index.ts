export { builtInCommand } from './built-in/command.js';
export { type CrossValidationOptions, crossValidate } from './cross-validate.js';
export { type ImitationOptions, imitate } from './imitate.js';
export { type RunTrainerOptions, runTrainer } from './run-trainer.js';
export { type TrainingProgress, type TrainOptions, train } from './train.js';
export { type TrainerEvent, trainerEventSchema, trainerExit } from './trainer.js';
export { type TrainingInputs, trainingKey } from './training-key.js';
