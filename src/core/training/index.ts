export { builtInCommand } from './built-in/command.js';
export { type ImitationOptions, imitate } from './imitate.js';
export { type DataModels, modelsOf } from './look-at-data.js';
export { type RunTrainerOptions, runTrainer } from './run-trainer.js';
export { type TrainingProgress, type TrainOptions, train } from './train.js';
export { type TrainerEvent, trainerEventSchema, trainerExit } from './trainer.js';
export { type TrainingInputs, trainingKey } from './training-key.js';
