// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The only door to Boost.Beast and Boost.Asio.

#include <utility>  // First: Boost 1.74's headers use std::exchange without it.

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace ecp::inline v0::http::beast {

namespace net = boost::asio;
namespace parsing = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;
using Parser = parsing::request_parser<parsing::string_body>;

}  // namespace ecp::inline v0::http::beast
