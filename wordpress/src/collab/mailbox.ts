/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What WordPress 7.0's polling asks for and is given; and what waits for it. */

export interface Update {
  readonly type: 'compaction' | 'sync_step1' | 'sync_step2' | 'update';
  /** Base64. */
  readonly data: string;
}

/** As much as WordPress saves, in base64. */
const MOST_CHARS = 22 * 1024 * 1024;
/** What one costs besides its text. */
const LETTER_CHARS = 100;

const sizeOf = ({ data }: Update): number => LETTER_CHARS + data.length;

/** Somebody lacks what is not in a state vector. */
export interface Question {
  readonly vector: Uint8Array;
  /** This page has it asked: others may lack what it said, and it what they said. */
  isOwn: boolean;
  cancel(): void;
}

export interface Letter {
  readonly at: number;
  readonly update: Update;
  readonly question: Question | undefined;
  /** Not wanted any more unless it was fetched. */
  withdrawn: boolean;
}

/**
 * Updates for one editor, in their order, until it has said that it has them.
 * Cursors begin with 1: with 0 the editor says that it knows of nothing yet.
 */
export class Mailbox {
  private letters: Letter[] = [];
  private at = 1;
  private chars = 0;

  /** `overflowed` is told that all was thrown away: nobody fetched it for long. */
  constructor(private readonly overflowed: () => void) {}

  get cursor(): number {
    return this.at;
  }

  /** Returns what withdraws it, where it was not fetched before. */
  put(update: Update, question?: Question): () => void {
    this.at += 1;
    const letter: Letter = { at: this.at, update, question, withdrawn: false };
    this.letters.push(letter);
    this.chars += sizeOf(update);
    if (this.chars > MOST_CHARS) {
      this.letters = [];
      this.chars = 0;
      this.overflowed();
    }
    return () => {
      letter.withdrawn = true;
    };
  }

  /** What came after that cursor; what did not is not kept any longer. */
  after(cursor: number): readonly Letter[] {
    this.letters = this.letters.filter(({ at, withdrawn }) => at > cursor && !withdrawn);
    this.chars = this.letters.reduce((sum, { update }) => sum + sizeOf(update), 0);
    return this.letters;
  }
}
