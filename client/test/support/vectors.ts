/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vectors of the project, as data.
 */
import { readFileSync } from 'node:fs';

/** Tests run in the client's folder. */
export function vectors<Shape>(file: string): Shape {
  return JSON.parse(readFileSync(`../t/vectors/${file}`, 'utf8')) as Shape;
}
