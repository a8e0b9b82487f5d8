// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Checked reading and streaming writing of JSON (RFC 8259).

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::json {

/// A view of one value inside a Document; valid as long as the Document lives.
class ECP_EXPORT Value {
 public:
  [[nodiscard]] bool is_null() const noexcept;
  [[nodiscard]] bool is_bool() const noexcept;
  [[nodiscard]] bool is_integer() const noexcept;  ///< Fits std::int64_t and has no fraction.
  [[nodiscard]] bool is_number() const noexcept;
  [[nodiscard]] bool is_string() const noexcept;
  [[nodiscard]] bool is_array() const noexcept;
  [[nodiscard]] bool is_object() const noexcept;

  // The following return a neutral value (false, 0, "") when the type is another: ask first.
  [[nodiscard]] bool get_bool() const noexcept;
  [[nodiscard]] std::int64_t get_integer() const noexcept;
  [[nodiscard]] double get_number() const noexcept;
  [[nodiscard]] std::string_view get_string() const noexcept;

  /// Number of elements or members; 0 for anything else.
  [[nodiscard]] std::size_t size() const noexcept;
  /// Element `index` of an array; `index` must be below size().
  [[nodiscard]] Value at(std::size_t index) const;
  /// Member of an object, or none.
  [[nodiscard]] std::optional<Value> find(std::string_view name) const noexcept;
  /// Name and value of the `index`-th member of an object.
  [[nodiscard]] std::pair<std::string_view, Value> member(std::size_t index) const;
  /// Write this value back as compact JSON.
  [[nodiscard]] std::string to_text() const;

 private:
  friend class Document;
  explicit Value(const void* node) : node_(node) {}
  const void* node_;
};

/// A parsed text and everything in it.
///
/// Ownership: owns its memory; move-only.
class ECP_EXPORT Document {
 public:
  /// Parse UTF-8 text iteratively. Fails with `invalid_argument` (core.bad_json, naming the offset)
  /// on anything that RFC 8259 forbids, on NaN or an infinite number, a lone surrogate, a duplicate
  /// member name, more than limits::json_depth levels or more than `max_size` octets.
  [[nodiscard]] static Result<Document> parse(std::string_view text,
                                              std::size_t max_size = limits::json_document);
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  [[nodiscard]] Value root() const;

 private:
  struct Tree;
  explicit Document(std::unique_ptr<Tree> tree);
  std::unique_ptr<Tree> tree_;
};

/// Bounds of a text field, in characters (code points).
struct TextBounds {
  std::size_t min = 1;
  std::size_t max = limits::name_length;
};

/// Reads the members of one object field by field, naming the field in each error.
///
/// Getters fail with `invalid_argument`, reason core.bad_field {field, problem}, when the member is
/// absent (unless optional), of another type, or out of bounds; null counts as absent.
/// Text must be clean UTF-8 (no control characters) unless read by `raw_text`.
class ECP_EXPORT Reader {
 public:
  /// Fails when `value` is no object. `path` is put in front of field names: "config.drivers[2]".
  [[nodiscard]] static Result<Reader> open(Value value, std::string path = {});

  [[nodiscard]] bool has(std::string_view name) const noexcept;
  [[nodiscard]] Result<std::string> text(std::string_view name, TextBounds bounds = {});
  [[nodiscard]] Result<std::optional<std::string>> optional_text(std::string_view name,
                                                                 TextBounds bounds = {});
  /// Text with any characters but bounded in octets.
  [[nodiscard]] Result<std::string> raw_text(std::string_view name, std::size_t max_octets);
  [[nodiscard]] Result<std::int64_t> integer(std::string_view name, std::int64_t min,
                                             std::int64_t max);
  [[nodiscard]] Result<std::int64_t> integer_or(std::string_view name, std::int64_t fallback,
                                                std::int64_t min, std::int64_t max);
  [[nodiscard]] Result<std::optional<std::int64_t>> optional_integer(std::string_view name,
                                                                     std::int64_t min,
                                                                     std::int64_t max);
  [[nodiscard]] Result<double> number(std::string_view name, double min, double max);
  [[nodiscard]] Result<double> number_or(std::string_view name, double fallback, double min,
                                         double max);
  [[nodiscard]] Result<std::optional<double>> optional_number(std::string_view name, double min,
                                                              double max);
  [[nodiscard]] Result<bool> boolean(std::string_view name);
  [[nodiscard]] Result<bool> boolean_or(std::string_view name, bool fallback);
  /// One of `choices`; the error lists them.
  [[nodiscard]] Result<std::string> choice(std::string_view name,
                                           std::initializer_list<std::string_view> choices);
  /// An identifier of any tag: `reader.id<EdgeNodeId>("node")`.
  template <class SomeId>
  [[nodiscard]] Result<SomeId> id(std::string_view name) {
    auto word = text(name, {1, 64});
    if (!word) return std::move(word).error();
    auto parsed = SomeId::parse(*word);
    if (!parsed) return bad(name, "is not an id of this kind");
    return *parsed;
  }
  /// A nested object.
  [[nodiscard]] Result<Reader> object(std::string_view name);
  [[nodiscard]] Result<std::optional<Reader>> optional_object(std::string_view name);
  /// The elements of an array, at most `max`; absent is an error.
  [[nodiscard]] Result<std::vector<Value>> array(std::string_view name, std::size_t max);
  [[nodiscard]] Result<std::vector<Value>> array_or_empty(std::string_view name, std::size_t max);
  /// The member as it is, for open content.
  [[nodiscard]] Result<Value> value(std::string_view name);
  [[nodiscard]] std::optional<Value> optional_value(std::string_view name);
  /// Refuse members that no getter has asked for. Call it for input from people; documents from a
  /// peer are read without it, so that a newer peer may say more.
  [[nodiscard]] Result<void> finish() const;
  /// Make the error for a field of this object: `return reader.bad("to", "lies before from");`
  [[nodiscard]] Error bad(std::string_view name, std::string_view problem) const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  Reader(Value value, std::string path) : value_(value), path_(std::move(path)) {}
  [[nodiscard]] std::optional<Value> take(std::string_view name);
  Value value_;
  std::string path_;
  std::vector<std::string> known_;
};

/// Parse a text and open its root as an object. The Reader lives inside.
class ECP_EXPORT ObjectDocument {
 public:
  [[nodiscard]] static Result<ObjectDocument> parse(std::string_view text,
                                                    std::size_t max_size = limits::json_document);
  [[nodiscard]] Reader& reader() noexcept { return reader_; }

 private:
  ObjectDocument(Document document, Reader reader)
      : document_(std::move(document)), reader_(std::move(reader)) {}
  Document document_;
  Reader reader_;
};

/// Writes compact JSON piece by piece into a string. Wrong nesting is a broken invariant (assert).
/// Text that is not UTF-8 is written with U+FFFD; numbers that are not finite as null.
class ECP_EXPORT Writer {
 public:
  Writer();
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(const std::string& text) { return value(std::string_view(text)); }
  Writer& value(std::int64_t number);
  Writer& value(std::uint64_t number);
  Writer& value(int number) { return value(static_cast<std::int64_t>(number)); }
  Writer& value(double number);  ///< Shortest text that reads back to the same double.
  Writer& value(bool flag);
  Writer& null();
  /// A piece that already is JSON; not checked.
  Writer& raw(std::string_view text);
  /// `writer.field("name", x)` is `key("name").value(x)`.
  template <class T>
  Writer& field(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  template <class T>
  Writer& field(std::string_view name, const std::optional<T>& content) {
    key(name);
    return content ? value(*content) : null();
  }
  /// Return the text; the writer is empty afterwards.
  [[nodiscard]] std::string take();
  [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }

 private:
  void separate();
  std::string out_;
  std::vector<char> nesting_;
  bool after_key_ = false;
};

}  // namespace ecp::inline v0::json
