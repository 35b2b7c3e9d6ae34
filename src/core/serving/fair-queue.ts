/** Requests that wait, of whom nobody's wait depends on how much others ask. */
export interface FairQueue<Item> {
  /**
   * @param client - whose request it is
   * @param cost - above 0, such as its number of samples
   * @returns the request that finds no place: none; or the last one of the client who has most waiting, which may be this one
   */
  readonly push: (client: string, cost: number, item: Item) => Item | undefined;
  /** The request whose turn it is. */
  readonly take: () => Item | undefined;
  /** The cost of the request whose turn it is. */
  readonly nextCost: () => number | undefined;
  readonly size: () => number;
}

interface Entry<Item> {
  readonly item: Item;
  readonly cost: number;
  /** When its service would begin if clients were served side by side, each at the same speed. */
  readonly start: number;
}

/**
 * Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): while several clients have requests waiting, none gets more service
 * than another by more than a request. A client that asks little is served as if it were alone, whoever floods the queue.
 *
 * @param capacity - most requests that wait
 */
export function fairQueue<Item>(capacity: number): FairQueue<Item> {
  const waiting = new Map<string, Entry<Item>[]>();
  /** When service of all that each client asked ends; forgotten once that is past. */
  const ends = new Map<string, number>();
  let virtualTime = 0;
  let size = 0;

  function longest(): string | undefined {
    let found: string | undefined;
    for (const [client, entries] of waiting) {
      if (found === undefined || entries.length > waiting.get(found)!.length) found = client;
    }
    return found;
  }

  function dropLast(client: string): Item {
    const entries = waiting.get(client)!;
    const { item, start } = entries.pop()!;
    ends.set(client, start);
    if (entries.length === 0) waiting.delete(client);
    size -= 1;
    return item;
  }

  function next(): string | undefined {
    let found: string | undefined;
    for (const [client, [entry]] of waiting) {
      if (found === undefined || entry!.start < waiting.get(found)![0]!.start) found = client;
    }
    return found;
  }

  return {
    push(client, cost, item) {
      const own = waiting.get(client) ?? [];
      let dropped: Item | undefined;
      if (size >= capacity) {
        const greediest = longest();
        if (greediest === undefined || waiting.get(greediest)!.length <= own.length + 1) return item;
        dropped = dropLast(greediest);
      }
      const start = Math.max(virtualTime, ends.get(client) ?? 0);
      ends.set(client, start + cost);
      waiting.set(client, own);
      own.push({ item, cost, start });
      size += 1;
      return dropped;
    },
    take() {
      const client = next();
      if (client === undefined) return undefined;
      const entries = waiting.get(client)!;
      const { item, start } = entries.shift()!;
      if (entries.length === 0) waiting.delete(client);
      size -= 1;
      virtualTime = start;
      for (const [known, end] of ends) if (end <= virtualTime && !waiting.has(known)) ends.delete(known);
      if (size === 0) {
        // Nobody waits, so that nobody is owed a turn.
        virtualTime = 0;
        ends.clear();
      }
      return item;
    },
    nextCost() {
      const client = next();
      return client === undefined ? undefined : waiting.get(client)![0]!.cost;
    },
    size: () => size,
  };
}
