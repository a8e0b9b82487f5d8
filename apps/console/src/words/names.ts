// SPDX-License-Identifier: Apache-2.0
// What each language calls itself, which is the same in all of them.

export const languageNames: [string, string][] = [["en", "English"], ["zh", "中文"]];
