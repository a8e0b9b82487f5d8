// SPDX-License-Identifier: Apache-2.0
//
// The floor of a roll-out: libmosquitto and OpenSSL alone, over the same kind of broker and mutual
// TLS, with as many messages of the same sizes, one Ed25519 signature made and checked per device.
//
//   ecp-raw-rollout publisher PORT KEY_FOLDER IDENTITY
//   ecp-raw-rollout devices PORT FOLDER KEY_FOLDER FIRST COUNT
//
// The publisher leaves its public key in KEY_FOLDER and takes "round COUNT COMMAND ANSWER STATE
// ACK" (octets of each message) on standard input; devices use the identities FOLDER/sim-N and
// answer "status" with how many rounds they saw to the end. A round's messages, as the product's:
// command, answer and ack of quality 1, a state of quality 0.

#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "session_loop.hpp"

namespace {

constexpr std::size_t signature_octets = 64;
constexpr std::size_t sizes_octets = 16;  // Two numbers of eight digits: the answer's and state's.
constexpr std::size_t key_octets = 32;
constexpr std::int64_t retry_ms = 1'000;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::string sign(EVP_PKEY* key, const std::string& octets) {
  const Digest digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(signature_octets, '\0');
  std::size_t size = signature.size();
  EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, key);
  EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                 reinterpret_cast<const unsigned char*>(octets.data()), octets.size());
  return signature;
}

bool is_signed(EVP_PKEY* key, std::string_view message) {
  if (message.size() < signature_octets + sizes_octets) return false;
  const Digest digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto* octets = reinterpret_cast<const unsigned char*>(message.data());
  EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, key);
  return EVP_DigestVerify(digest.get(), octets, signature_octets, octets + signature_octets,
                          message.size() - signature_octets) == 1;
}

swarm::Endpoint endpoint(const std::string& port, const std::string& id,
                         const std::string& folder) {
  return {"127.0.0.1", std::atoi(port.c_str()), 60, id, folder};
}

struct Counts : swarm::SessionCounts {
  std::uint64_t done = 0;
  std::uint64_t bad = 0;
};

class Device final : public swarm::Session {
 public:
  Device(const std::string& port, int number, const std::string& folder, EVP_PKEY* key,
         Counts& counts)
      : Session(endpoint(port, "raw-" + std::to_string(number),
                         folder + "/sim-" + std::to_string(number)),
                counts),
        prefix_("raw/" + std::to_string(number)),
        key_(key),
        counts_(counts) {}

 private:
  void on_up() override { subscribe(prefix_ + "/down/#"); }
  void tick(std::int64_t) override { keep_alive(); }
  void on_message(std::string_view topic, std::string_view payload) override {
    if (topic.ends_with("/ack")) {
      ++counts_.done;
      return;
    }
    if (!is_signed(key_, payload)) {
      ++counts_.bad;
      return;
    }
    const auto size = [&](std::size_t at) {
      return std::strtoul(std::string(payload.substr(signature_octets + at, 8)).c_str(), nullptr,
                          10);
    };
    publish(prefix_ + "/up/answer", std::string(size(0), 'a'), 1);
    publish(prefix_ + "/up/state", std::string(size(8), 's'), 0);
  }

  std::string prefix_;
  EVP_PKEY* key_;
  Counts& counts_;
};

class Publisher final : public swarm::Session {
 public:
  Publisher(const std::string& port, const std::string& identity, EVP_PKEY* key, Counts& counts)
      : Session(endpoint(port, "raw-publisher", identity), counts), key_(key) {}

  void send_round(int count, std::size_t command, std::size_t answer, std::size_t state) {
    for (int number = 0; number < count; ++number) {
      std::array<char, sizes_octets + 1> sizes{};
      std::snprintf(sizes.data(), sizes.size(), "%08zu%08zu", answer, state);
      std::string body = sizes.data() + std::to_string(number) + ' ';  // Each its own.
      if (body.size() + signature_octets < command) body.resize(command - signature_octets, 'c');
      publish("raw/" + std::to_string(number) + "/down/desired", sign(key_, body) + body, 1);
      work(true, true);
    }
  }
  void set_ack(std::size_t octets) { ack_ = std::string(octets, 'k'); }

 private:
  void on_up() override { subscribe("raw/+/up/#"); }
  void tick(std::int64_t) override { keep_alive(); }
  void on_message(std::string_view topic, std::string_view) override {
    const auto end = topic.find("/up/answer");
    if (end != std::string_view::npos) {
      publish(std::string(topic.substr(0, end)) + "/down/ack", ack_, 1);
    }
  }

  EVP_PKEY* key_;
  std::string ack_;
};

void run(std::vector<std::unique_ptr<swarm::Session>>& sessions, const Counts& counts,
         const swarm::SessionLoop::Command& command) {
  swarm::SessionLoop loop(sessions, counts, [](unsigned) { return retry_ms; });
  loop.run(command);
}

int publish_rounds(const std::string& port, const std::string& folder,
                   const std::string& identity) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  std::array<unsigned char, key_octets> open{};
  std::size_t size = open.size();
  EVP_PKEY_get_raw_public_key(key.get(), open.data(), &size);
  std::ofstream(folder + "/raw-key", std::ios::binary)
      .write(reinterpret_cast<const char*>(open.data()), static_cast<std::streamsize>(size));
  Counts counts;
  std::vector<std::unique_ptr<swarm::Session>> sessions;
  auto made = std::make_unique<Publisher>(port, identity, key.get(), counts);
  auto& publisher = *made;
  sessions.push_back(std::move(made));
  run(sessions, counts, [&](const std::string& line) {
    std::istringstream words(line);
    std::string word;
    int count = 0;
    std::size_t command = 0, answer = 0, state = 0, ack = 0;
    if (!(words >> word >> count >> command >> answer >> state >> ack)) return false;
    publisher.set_ack(ack);
    publisher.send_round(count, command, answer, state);
    std::cout << "sent " << count << std::endl;
    return true;
  });
  return 0;
}

int hold_devices(const std::string& port, const std::string& folder, const std::string& key_folder,
                 int first, int count) {
  std::array<char, key_octets> open{};
  std::ifstream(key_folder + "/raw-key", std::ios::binary).read(open.data(), open.size());
  const Key key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                  reinterpret_cast<const unsigned char*>(open.data()), open.size()),
      EVP_PKEY_free);
  Counts counts;
  std::vector<std::unique_ptr<swarm::Session>> sessions;
  for (int number = first; number < first + count; ++number) {
    sessions.push_back(std::make_unique<Device>(port, number, folder, key.get(), counts));
  }
  run(sessions, counts, [&](const std::string& line) {
    if (line != "status") return false;
    std::cout << "done=" << counts.done << " bad=" << counts.bad
              << " connected=" << counts.connected << std::endl;
    return true;
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  swarm::raise_descriptor_limit();
  mosquitto_lib_init();
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "publisher" && argc == 5) return publish_rounds(argv[2], argv[3], argv[4]);
  if (mode == "devices" && argc == 7) {
    return hold_devices(argv[2], argv[3], argv[4], std::atoi(argv[5]), std::atoi(argv[6]));
  }
  std::cerr << "usage: ecp-raw-rollout publisher PORT KEY_FOLDER IDENTITY\n"
               "       ecp-raw-rollout devices PORT FOLDER KEY_FOLDER FIRST COUNT\n";
  return 2;
}
