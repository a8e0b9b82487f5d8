// SPDX-License-Identifier: Apache-2.0
#include "http/beast/connection.hpp"

namespace ecp::inline v0::http::beast {
namespace {

/// Octets that may wait for a slow reader, beside the bound on pieces.
constexpr std::size_t backlog_octets = mebibyte;

}  // namespace

StreamWriter::StreamWriter(std::weak_ptr<Connection> connection, std::shared_ptr<Shared> shared)
    : connection_(std::move(connection)), shared_(std::move(shared)) {}

StreamWriter::~StreamWriter() = default;

bool StreamWriter::write(Bytes piece) {
  if (piece.empty()) return true;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    octets_ += piece.size();
    pieces_.push_back(std::move(piece));
    if (pieces_.size() <= limits::sse_backlog && octets_ <= backlog_octets) {
      if (woken_) return true;
      woken_ = true;
    } else {
      closed_ = true;
      pieces_.clear();
    }
    if (closed_) {
      if (const auto connection = connection_.lock()) {
        shared_->post(connection->strand(), [connection] { connection->overflow_stream(); });
      }
      return false;
    }
  }
  wake();
  return true;
}

void StreamWriter::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
  }
  wake();
}

void StreamWriter::wake() {
  if (const auto connection = connection_.lock()) {
    shared_->post(connection->strand(), [connection] { connection->flush_stream(); });
  }
}

StreamWriter::Taken StreamWriter::take(bool chunked) {
  const std::lock_guard lock(mutex_);
  Taken taken;
  for (const auto& piece : pieces_) {
    if (chunked) {
      append_chunk(taken.chunks, piece);
    } else {
      taken.chunks += piece;
    }
  }
  pieces_.clear();
  octets_ = 0;
  woken_ = false;
  taken.closed = closed_;
  return taken;
}

void StreamWriter::detach() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  pieces_.clear();
}

}  // namespace ecp::inline v0::http::beast
