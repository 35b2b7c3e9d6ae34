import { TransientError } from '../errors/index.js';
import { fieldOf } from './field-of.js';
import type { SecretProvider } from './provider.js';

/** AWS Secrets Manager; credentials, region and endpoint come from where the AWS SDK looks for them. */
export const awsSecretsManager: SecretProvider = {
  scheme: 'aws-sm',
  example: 'aws-sm:NAME or aws-sm:NAME#FIELD',
  async fetch(name) {
    const [id, field] = name.split('#');
    // Loaded by those alone who use it: it is large.
    const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    const client = new SecretsManagerClient({});
    try {
      const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: id }));
      return text === undefined ? undefined : fieldOf(text, field);
    } catch (error) {
      if ((error as Error).name === 'ResourceNotFoundException') return undefined;
      throw new TransientError(`cannot fetch the secret ${id} from AWS Secrets Manager`, { cause: error });
    } finally {
      client.destroy();
    }
  },
};
