// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include <ecp/core/json.hpp>
#include <ecp/transport/emqx.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/backoff.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr Milliseconds longest_pause{30'000};  // Between rounds that failed.
constexpr Milliseconds foreign_ban_pause{
    60'000};  // Until a ban of other origin is looked at again.
constexpr std::size_t largest_answer = 64 * kibibyte;
constexpr std::size_t longest_words = 200;  // Of an answer, in our log.
constexpr std::string_view forever = "2999-12-31T23:59:59Z";
constexpr std::chrono::hours long_enough{24 * 365 * 10};  // A ban as good as ours.

/// How one call ended.
enum class Told {
  done,
  later,   ///< Not now, but nothing is wrong with the others.
  failed,  ///< Nor will it do anything else: the round is over.
};

std::string_view text_of(const json::Value& object, std::string_view name) {
  const auto found = object.find(name);
  return found && found->is_string() ? found->get_string() : std::string_view();
}

/// Whether the ban that is there already, in the words of the refusal, lasts as ours would.
bool is_lasting(std::string_view words, Time now) {
  const auto ban = json::Document::parse(words);
  if (!ban || !ban->root().is_object()) return false;
  const auto until = text_of(ban->root(), "until");
  if (until == "infinity") return true;
  const auto end = parse_rfc3339(until);
  return end && *end - now > long_enough;
}

/// A literal address of this machine; a name might lead elsewhere.
bool is_loopback(const http::Url& url) {
  const bool is_literal = http::is_address_allowed({true, {}}, url.host, url.port);
  return is_literal && (url.host.starts_with("127.") || url.host == "::1");
}

std::string ban_of(const std::string& agent) {
  json::Writer writer;
  writer.begin_object()
      .field("as", "clientid")
      .field("who", agent)
      .field("by", "ecpd")
      .field("reason", "revoked")
      .field("until", forever)
      .end_object();
  return writer.take();
}

/// The two calls.
///
/// Thread safety: one call at a time.
class EmqxApi {
 public:
  EmqxApi(EmqxOptions options, http::AddressPolicy addresses, http::Client& client, Env env)
      : options_(std::move(options)),
        addresses_(std::move(addresses)),
        client_(client),
        env_(env) {}
  /// Ban an agent and end its session.
  Told tell(const std::string& agent);

 private:
  Told ban(const std::string& agent);
  Told kick(const std::string& agent);
  Result<http::ClientResponse> call(http::Method method, const std::string& path, Bytes body);
  Told refuse(const Result<http::ClientResponse>& answer, const char* what);

  EmqxOptions options_;
  http::AddressPolicy addresses_;
  http::Client& client_;
  const Env env_;
};

Told EmqxApi::tell(const std::string& agent) {
  const auto banned = ban(agent);
  if (banned == Told::failed) return banned;
  const auto kicked = kick(agent);  // A ban ends no session.
  if (kicked != Told::done) return kicked;
  if (banned == Told::done) env_.log.info("emqx", "a revoked agent is banned", {{"agent", agent}});
  return banned;
}

Told EmqxApi::ban(const std::string& agent) {
  const auto answer = call(http::Method::post, "/api/v5/banned", ban_of(agent));
  if (answer && answer->status == 200) return Told::done;
  if (!answer || answer->status != 400) return refuse(answer, "ban");
  const auto body = json::Document::parse(answer->body);
  if (!body || !body->root().is_object() || text_of(body->root(), "code") != "ALREADY_EXISTS") {
    return refuse(answer, "ban");
  }
  const auto words = body->root().find("message");
  const auto old = !words               ? ""
                   : words->is_string() ? std::string(words->get_string())
                                        : words->to_text();
  return is_lasting(old, env_.clock.now()) ? Told::done : Told::later;
}

Told EmqxApi::kick(const std::string& agent) {
  const auto answer = call(http::Method::del, "/api/v5/clients/" + agent, {});
  if (answer && (answer->status == 204 || answer->status == 404)) return Told::done;
  return refuse(answer, "kick");
}

Result<http::ClientResponse> EmqxApi::call(http::Method method, const std::string& path,
                                           Bytes body) {
  http::ClientRequest request;
  request.method = method;
  request.url = options_.url + path;
  request.headers.add("Authorization", "Basic " + to_base64(options_.key.view()));
  request.headers.add("Accept", "application/json");
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  request.timeout = options_.timeout;
  request.max_response = largest_answer;
  request.addresses = addresses_;
  request.trust.ca_pem = options_.roots_pem;
  return client_.call(request);
}

Told EmqxApi::refuse(const Result<http::ClientResponse>& answer, const char* what) {
  std::string problem;
  if (!answer) {
    problem = answer.error().describe();
  } else {
    problem = "it answered " + std::to_string(answer->status);
    if (answer->status == 401 || answer->status == 403) problem += " (check the API key)";
    problem += ": " + answer->body.substr(0, longest_words);
  }
  env_.log.error("emqx", "a revoked agent is not kept out yet; it will be tried again",
                 {{"call", what}, {"problem", problem}});
  return Told::failed;
}

/// Whom EMQX has still to be told, and the rounds in which it is.
///
/// Ownership: shared by the cutter and by rounds and timers on their way.
struct Rounds : std::enable_shared_from_this<Rounds> {
  Rounds(EmqxApi api_in, Env env_in) : api(std::move(api_in)), env(env_in) {}

  void deny(link::AgentId agent);
  void set_denied(std::span<const link::AgentId> agents);
  void repeat();
  void stop() noexcept;

  void wake(Milliseconds delay);
  void run();
  void rest(Told outcome);
  std::optional<link::AgentId> next(const std::optional<link::AgentId>& last);

  EmqxApi api;
  const Env env;

  std::mutex mutex;  ///< Guards what follows; never held during a call.
  std::condition_variable idle;
  std::set<link::AgentId> waiting;  ///< To be told, or told again.
  std::set<link::AgentId> told;
  bool stopped = false;
  bool queued = false;   ///< A round is posted or running.
  bool running = false;  ///< stop() waits for it.
  bool again = false;    ///< Something came since the round began.
  unsigned failures = 0;
  TimerId timer = TimerId::none;
};

void Rounds::deny(link::AgentId agent) {
  {
    const std::lock_guard lock(mutex);
    told.erase(agent);
    waiting.insert(agent);
  }
  wake(Milliseconds(0));
}

void Rounds::set_denied(std::span<const link::AgentId> agents) {
  {
    const std::lock_guard lock(mutex);
    for (const auto agent : agents) {
      if (told.count(agent) == 0) waiting.insert(agent);
    }
  }
  wake(Milliseconds(0));
}

void Rounds::repeat() {
  {
    const std::lock_guard lock(mutex);
    waiting.merge(told);
    told.clear();
  }
  wake(Milliseconds(0));
}

void Rounds::stop() noexcept {
  std::unique_lock lock(mutex);
  stopped = true;
  env.executor.cancel(std::exchange(timer, TimerId::none));
  idle.wait(lock, [this] { return !running; });
}

void Rounds::wake(Milliseconds delay) {
  const std::lock_guard lock(mutex);
  if (stopped || waiting.empty()) return;
  if (queued) {
    again = true;
    return;
  }
  env.executor.cancel(std::exchange(timer, TimerId::none));
  if (delay.count() > 0) {
    timer = env.executor.post_after(delay, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->wake(Milliseconds(0));
    });
    return;
  }
  queued = true;
  env.workers.post([self = shared_from_this()] { self->run(); });
}

/// Tell EMQX all that waits, until a call fails that would fail for the others, too.
void Rounds::run() {
  {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    running = true;
    again = false;
  }
  auto outcome = Told::done;
  std::optional<link::AgentId> agent;
  while (outcome != Told::failed) {
    agent = next(agent);
    if (!agent) break;
    const auto ended = api.tell(agent->to_string());
    if (ended != Told::done) {
      outcome = ended;
      continue;
    }
    const std::lock_guard lock(mutex);
    waiting.erase(*agent);
    told.insert(*agent);
  }
  rest(outcome);
}

/// In the order of their ids; one that comes behind has the next round.
std::optional<link::AgentId> Rounds::next(const std::optional<link::AgentId>& last) {
  const std::lock_guard lock(mutex);
  const auto found = last ? waiting.upper_bound(*last) : waiting.begin();
  if (stopped || found == waiting.end()) return std::nullopt;
  return *found;
}

void Rounds::rest(Told outcome) {
  Milliseconds delay{0};
  {
    const std::lock_guard lock(mutex);
    running = queued = false;
    if (outcome == Told::failed) {
      delay = Milliseconds(1) + retry_delay(env.random, failures++, longest_pause);
    } else {
      failures = 0;
      if (outcome == Told::later && !again) delay = foreign_ban_pause;
    }
  }
  idle.notify_all();
  wake(delay);
}

class EmqxCutter final : public SessionCutter {
 public:
  explicit EmqxCutter(std::shared_ptr<Rounds> rounds) : rounds_(std::move(rounds)) {}
  ~EmqxCutter() override { rounds_->stop(); }

  void deny(link::AgentId agent) override { rounds_->deny(agent); }
  void set_denied(std::span<const link::AgentId> agents) override { rounds_->set_denied(agents); }
  void repeat() override { rounds_->repeat(); }
  void stop() noexcept override { rounds_->stop(); }

 private:
  const std::shared_ptr<Rounds> rounds_;
};

}  // namespace

Result<std::unique_ptr<SessionCutter>> open_emqx_cutter(EmqxOptions options, http::Client& client,
                                                        Env env) {
  const auto bad = [](const char* option, const char* problem) {
    return Error(reasons::bad_options, {{"option", option}, {"problem", problem}});
  };
  const auto url = http::parse_url(options.url);
  if (!url || url->path != "/" || options.url.ends_with('/')) {
    return bad("url", "must be https://host:port and no more");
  }
  http::AddressPolicy addresses;
  if (url->scheme == "https") {
    addresses.private_networks = true;  // Named by whoever runs us, and it has to prove its name.
  } else if (is_loopback(*url)) {
    const bool is_v6 = url->host.find(':') != std::string::npos;
    const auto host = is_v6 ? "[" + url->host + "]" : url->host;
    addresses.allowed = {host + ":" + std::to_string(url->port)};
  } else {
    return bad("url", "must be https: the API key would be readable on the way");
  }
  const auto colon = options.key.view().find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == options.key.view().size()) {
    return bad("key", "must be an API key, a colon and its secret");
  }
  return std::make_unique<EmqxCutter>(std::make_shared<Rounds>(
      EmqxApi(std::move(options), std::move(addresses), client, env), env));
}

}  // namespace ecp::inline v0::transport
