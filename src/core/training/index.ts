export { type TrainerEvent, trainerEventSchema, trainerExit } from './trainer.js';
