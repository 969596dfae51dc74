#include "core/journal/postgres/pg_params.h"

#include <algorithm>

#include "core/base/check.h"

namespace hookswitch::pg {
namespace {

// pg_type.dat: fixed for ever.
constexpr std::uint32_t kInt8 = 20, kBytea = 17, kInt8Array = 1016, kByteaArray = 1001;

template <class Int>
void PutBig(std::string& out, Int value) {
  for (int shift = (static_cast<int>(sizeof value) - 1) * 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> shift);
  }
}

void PutElement(std::string& out, std::int64_t value) {
  PutBig(out, std::int32_t{8});
  PutBig(out, value);
}

void PutElement(std::string& out, std::string_view value) {
  PutBig(out, static_cast<std::int32_t>(value.size()));
  out += value;
}

/// An array of one dimension (src/backend/utils/adt/arrayfuncs.c, array_send).
std::string ArrayOf(std::uint32_t type, std::size_t count, std::string_view elements) {
  std::string array;
  array.reserve(20 + elements.size());
  PutBig(array, std::int32_t{count == 0 ? 0 : 1});  // dimensions
  PutBig(array, std::int32_t{0});                   // no NULL among them
  PutBig(array, type);
  if (count == 0) return array;
  PutBig(array, static_cast<std::int32_t>(count));
  PutBig(array, std::int32_t{1});  // index of the first
  array += elements;
  return array;
}

template <class Value>
std::string ArrayOf(std::uint32_t type, std::span<const Value> values) {
  std::string elements;
  for (const Value& value : values) PutElement(elements, value);
  return ArrayOf(type, values.size(), elements);
}

}  // namespace

Params& Params::Add(std::int64_t value) {
  types_.push_back(kInt8);
  PutBig(values_.emplace_back(), value);
  return *this;
}

Params& Params::Add(std::string_view value) {
  types_.push_back(kBytea);
  values_.emplace_back(value);
  return *this;
}

Params& Params::Add(std::span<const std::int64_t> values) {
  types_.push_back(kInt8Array);
  values_.push_back(ArrayOf(kInt8, values));
  return *this;
}

Params& Params::Add(std::span<const std::string_view> values) {
  types_.push_back(kByteaArray);
  values_.push_back(ArrayOf(kBytea, values));
  return *this;
}

void Rows::PutInt(Column& column, std::int64_t value) {
  column.type = kInt8;
  PutElement(column.elements, value);
  bytes_ += 12;
}

void Rows::PutBytes(Column& column, std::string_view value) {
  column.type = kBytea;
  PutElement(column.elements, value);
  bytes_ += 4 + value.size();
}

void Rows::AddRow(std::span<const std::variant<std::int64_t, std::string>> values) {
  if (columns_.empty()) columns_.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::visit([&](const auto& value) { Put(columns_[i], value); }, values[i]);
  }
  ++count_;
}

void Rows::clear() {
  columns_.clear();
  count_ = bytes_ = 0;
}

std::string Rows::Source(std::string_view name, std::string_view columns) {
  std::string source = "unnest(";
  const auto count = std::ranges::count(columns, ',') + 1;
  for (std::ptrdiff_t i = 1; i <= count; ++i) source += (i == 1 ? "$" : ",$") + std::to_string(i);
  return source + ") WITH ORDINALITY AS " + std::string(name) + "(" + std::string(columns) + ", ord)";
}

Params Rows::Take() {
  HSW_CHECK(count_ != 0, "an array without elements has no type");
  Params params;
  for (Column& column : columns_) {
    params.types_.push_back(column.type == kInt8 ? kInt8Array : kByteaArray);
    params.values_.push_back(ArrayOf(column.type, count_, column.elements));
    column = {};
  }
  clear();
  return params;
}

}  // namespace hookswitch::pg
