export { type CrowdModel, type DawidSkeneOptions, dawidSkene } from './dawid-skene.js';
export { influenceWeights } from './influence.js';
export { type JudgedContributors, judgeContributors } from './judge-contributors.js';
export { voteShares } from './majority.js';
export { type Votes, votesOf } from './votes.js';
