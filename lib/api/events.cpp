// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/events.hpp>
#include <ecp/api/reasons.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/platform/live_events.hpp>

namespace ecp::inline v0::api {
namespace {

namespace permissions = access::permissions;

/// How often every stream's right is looked at again; half of what is promised.
constexpr Milliseconds check_period{2500};
/// A comment goes out at every sixth check: every 15 s.
constexpr unsigned checks_per_beat = 6;

/// The events of ours, each with what one must be allowed to see to hear it.
constexpr std::array<std::pair<std::string_view, const access::Permission*>, 7> known_events{
    {{"value", &permissions::data_tag_view},
     {"node", &permissions::edge_node_view},
     {"service", &permissions::edge_service_view},
     {"alarm", &permissions::alarm_view},
     {"alarm_rule", &permissions::alarm_rule_view},
     {"command", &permissions::edge_service_view},
     {"audit", &permissions::audit_view}}};
/// An OEM's, for everybody who sees the project.
constexpr unsigned other_events = 1U << known_events.size();

unsigned bit_of(std::string_view event) {
  const auto found = std::find_if(known_events.begin(), known_events.end(),
                                  [&](const auto& candidate) { return candidate.first == event; });
  return 1U << static_cast<unsigned>(found - known_events.begin());
}

/// The events that a grant lets one hear, as bits.
unsigned hearable(const access::Grant& grant, const access::Scope& scope) {
  unsigned bits = grant.allows(permissions::project_view, scope) ? other_events : 0U;
  for (const auto& [event, permission] : known_events) {
    if (grant.allows(*permission, scope)) bits |= bit_of(event);
  }
  return bits;
}

Bytes piece_of(std::string_view event, std::string_view data_json) {
  Bytes piece;
  piece.reserve(event.size() + data_json.size() + 18);
  piece.append("event: ").append(event);
  piece.append("\ndata: ").append(data_json).append("\n\n");
  return piece;
}

/// Tells a reader which events he will hear, so that a page need not ask for what is refused.
Bytes announcement(unsigned events) {
  json::Writer writer;
  writer.begin_object().key("events").begin_array();
  for (const auto& [event, permission] : known_events) {
    if ((events & bit_of(event)) != 0) writer.value(event);
  }
  writer.end_array().end_object();
  return piece_of("stream", writer.take());
}

/// How many streams are open, also those that have not begun.
struct Places {
  std::mutex mutex;
  std::size_t all = 0;                      ///< Guarded.
  std::map<IdBytes, std::size_t> of_users;  ///< Guarded.
};

/// One place among the streams that may be open at once.
class Slot {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Slot>> take(std::shared_ptr<Places> places,
                                                          const IdBytes& user) {
    const std::lock_guard lock(places->mutex);
    if (places->all >= limits::sse_subscribers) {
      return Error(reasons::too_many_streams, {{"limit", std::to_string(limits::sse_subscribers)}});
    }
    auto& own = places->of_users[user];
    if (own >= limits::sse_per_user) {
      return Error(reasons::too_many_own_streams,
                   {{"limit", std::to_string(limits::sse_per_user)}});
    }
    ++own;
    ++places->all;
    return std::unique_ptr<Slot>(new Slot(places, user));
  }
  ~Slot() {
    const std::lock_guard lock(places_->mutex);
    --places_->all;
    const auto own = places_->of_users.find(user_);
    if (--own->second == 0) places_->of_users.erase(own);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

 private:
  Slot(std::shared_ptr<Places> places, const IdBytes& user)
      : places_(std::move(places)), user_(user) {}

  std::shared_ptr<Places> places_;  // Shared: outlives the streams' owner.
  IdBytes user_;
};

/// One open stream.
struct Stream {
  Stream(std::unique_ptr<Slot> place, const http::Request& request, const access::Grant& grant)
      : slot(std::move(place)),
        token(bearer_token(request)),
        scope(grant.scope()),
        origin(grant.origin()),
        events(hearable(grant, scope)) {}

  void hear(const platform::LiveEvent& event) {
    if ((events & bit_of(event.name)) == 0 || gone) return;
    if (!writer->write(piece_of(event.name, event.data_json))) gone = true;
  }

  std::unique_ptr<Slot> slot;
  Secret token;
  access::Scope scope;
  access::Origin origin;
  std::atomic<unsigned> events;
  std::atomic<bool> gone{false};
  std::shared_ptr<http::BodyWriter> writer;  // Shared: with the server.
  std::unique_ptr<platform::Subscription> subscription;
};

}  // namespace

struct EventStreams::State : std::enable_shared_from_this<State> {
  State(platform::LiveEvents& live_events, Authenticator authenticate, GrantSource grant_source,
        const Env& world)
      : live(live_events),
        authenticator(std::move(authenticate)),
        grants(std::move(grant_source)),
        env(world) {}

  platform::LiveEvents& live;
  Authenticator authenticator;
  GrantSource grants;
  Env env;
  std::shared_ptr<Places> places = std::make_shared<Places>();  // Shared: with slots.

  std::mutex mutex;
  std::vector<std::shared_ptr<Stream>> streams;  ///< Guarded. Shared: with a check that runs.
  TimerId timer = TimerId::none;                 ///< Guarded.
  bool stopped = false;                          ///< Guarded.
  std::atomic<unsigned> checks{0};

  /// On the server's thread, after the head was sent.
  void begin(const std::shared_ptr<Stream>& stream, std::shared_ptr<http::BodyWriter> writer) {
    stream->writer = std::move(writer);
    stream->writer->write("retry: 2000\n\n");
    stream->writer->write(announcement(stream->events));
    stream->subscription = live.subscribe(
        stream->scope,
        [raw = stream.get()](const platform::LiveEvent& event) { raw->hear(event); });
    const std::lock_guard lock(mutex);
    if (stopped) return stream->writer->close();
    streams.push_back(stream);
    if (timer == TimerId::none) arm();
  }

  /// With the mutex held.
  void arm() {
    timer = env.executor.post_after(check_period, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self) self->env.workers.post([self] { self->check(); });
    });
  }

  /// The token must still be good, and his rights are what they are now.
  [[nodiscard]] bool may_go_on(Stream& stream) const {
    const auto principal = authenticator(stream.token.view());
    if (!principal) return false;
    const auto grant = grants(*principal, stream.scope, stream.origin);
    if (!grant) return false;
    const unsigned events = hearable(*grant, stream.scope);
    const bool changed = stream.events.exchange(events) != events;
    if (changed && events != 0) stream.writer->write(announcement(events));
    return events != 0;
  }

  /// On a worker: end streams whose right has ended, and let the others know that we live.
  void check() {
    const bool beat = ++checks % checks_per_beat == 0;
    std::vector<std::shared_ptr<Stream>> all;
    {
      const std::lock_guard lock(mutex);
      all = streams;
    }
    for (const auto& stream : all) {
      if (!stream->gone && !may_go_on(*stream)) {
        stream->gone = true;
        stream->writer->close();
      }
      if (beat && !stream->gone && !stream->writer->write(": beat\n\n")) stream->gone = true;
    }
    all.clear();
    std::vector<std::shared_ptr<Stream>> ended;  // Destroyed after the lock is given back.
    const std::lock_guard lock(mutex);
    const auto rest = std::stable_partition(streams.begin(), streams.end(),
                                            [](const auto& stream) { return !stream->gone; });
    ended.assign(std::make_move_iterator(rest), std::make_move_iterator(streams.end()));
    streams.erase(rest, streams.end());
    timer = TimerId::none;
    if (!stopped && !streams.empty()) arm();
  }

  void stop() {
    std::vector<std::shared_ptr<Stream>> all;
    {
      const std::lock_guard lock(mutex);
      stopped = true;
      env.executor.cancel(timer);
      all.swap(streams);
    }
    for (const auto& stream : all) stream->writer->close();
  }
};

EventStreams::EventStreams(platform::LiveEvents& live, Authenticator authenticator,
                           GrantSource grants, const Env& env)
    : state_(std::make_shared<State>(live, std::move(authenticator), std::move(grants), env)) {}

EventStreams::~EventStreams() { state_->stop(); }

std::size_t EventStreams::count() const noexcept {
  const std::lock_guard lock(state_->places->mutex);
  return state_->places->all;
}

Result<http::Response> EventStreams::open(const http::Request& request,
                                          const access::Grant& grant) {
  ECP_TRY_VOID(only_queries(request, {}));
  ECP_TRY(auto slot, Slot::take(state_->places, grant.principal().id));
  http::Response response;
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("X-Accel-Buffering", "no");
  // Shared: a std::function is copied; there is one stream.
  auto stream = std::make_shared<Stream>(std::move(slot), request, grant);
  response.stream = [state = state_, stream](std::shared_ptr<http::BodyWriter> writer) {
    state->begin(stream, std::move(writer));
  };
  return response;
}

void add_event_endpoints(Router& router, EventStreams& streams) {
  router.add({http::Method::get, "/api/v1/orgs/:org/projects/:project/events",
              &permissions::data_tag_view,
              [&streams](const http::Request& request, const access::Grant& grant) {
                return streams.open(request, grant);
              }});
}

}  // namespace ecp::inline v0::api
