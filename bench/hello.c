/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of our footprint: initialises the libraries that a program of ours links, then waits. The
   linker is given the very list of that program. */
#include <curl/curl.h>
#include <mosquitto.h>
#include <openssl/ssl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  sqlite3* database = NULL;
  if (sodium_init() < 0 || mosquitto_lib_init() != MOSQ_ERR_SUCCESS) return 1;
  if (OPENSSL_init_ssl(0, NULL) != 1) return 1;
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  if (context == NULL || sqlite3_open(":memory:", &database) != SQLITE_OK) return 1;
  if (sqlite3_exec(database, "CREATE TABLE t (x INTEGER)", NULL, NULL, NULL) != SQLITE_OK) return 1;
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || curl_easy_init() == NULL) return 1;
  if (SSL_CTX_set_default_verify_paths(context) != 1) return 1;
  puts("ready");
  fflush(stdout);
  pause();
  return 0;
}
