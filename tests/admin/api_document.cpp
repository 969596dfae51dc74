#include "tests/admin/api_document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "tests/admin/schema_rules.h"

namespace hookswitch {
namespace {

Mutex mu;
std::set<std::string> seen GUARDED_BY(mu);

const SchemaRules& Rules() {
  static const SchemaRules rules(ApiDocument());
  return rules;
}

std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  while (true) {
    const auto slash = path.find('/', 1);
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash);
  }
}

// Whether what stands for the operation's placeholder may have slashes.
bool HasSlashes(const DocumentedOperation& operation) {
  const auto* parameters = operation.what->if_contains("parameters");
  return parameters && std::ranges::any_of(parameters->as_array(), [](const json::value& parameter) {
           return Resolved(parameter).contains("x-slashes");
         });
}

// How many placeholders a documented path has if it is this one, else -1.
int Placeholders(const DocumentedOperation& operation, std::string_view path) {
  const std::string_view documented = operation.path;
  if (HasSlashes(operation)) {
    const std::string_view before = documented.substr(0, documented.find('{'));
    const std::string_view behind = documented.substr(documented.find('}') + 1);
    const bool is_it =
        path.starts_with(before) && path.ends_with(behind) && path.size() > before.size() + behind.size();
    return is_it ? 1 : -1;
  }
  const auto wanted = Segments(documented);
  const auto given = Segments(path);
  if (wanted.size() != given.size()) return -1;
  int count = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool is_placeholder = wanted[i].starts_with("/{");
    if (is_placeholder ? given[i].size() < 2 : wanted[i] != given[i]) return -1;
    count += is_placeholder ? 1 : 0;
  }
  return count;
}

const DocumentedOperation* OperationOf(std::string_view method, std::string_view path) {
  static const auto operations = DocumentedOperations();
  const DocumentedOperation* found = nullptr;
  int least = 100;
  for (const DocumentedOperation& operation : operations) {
    const int count = Placeholders(operation, path);
    if (count < 0 || count >= least) continue;
    // Another method of the nearest path is none of a path further away.
    least = count;
    found = nullptr;
    for (const DocumentedOperation& same : operations) {
      if (same.path == operation.path && same.method == (method == "HEAD" ? "GET" : method)) found = &same;
    }
  }
  return found;
}

void CheckRequest(const DocumentedOperation& operation, std::string_view query, std::string_view body) {
  std::set<std::string> known;
  for (const json::object* parameter : QueryOf(operation)) known.emplace(parameter->at("name").as_string());
  const bool is_of_api = operation.path.starts_with("/api/");
  std::string name;
  while (const auto parameter = TakeParameter(query)) {
    if (!PercentDecodeStrict(parameter->name, true, name)) name = parameter->name;
    EXPECT_TRUE(!is_of_api || known.contains(name)) << operation.path << " takes " << name;
  }
  const json::value* schema = BodyOf(operation);
  if (body.empty() || !is_of_api) return;
  const json::value value = json::parse(json::string_view(body.data(), body.size()));
  if (!schema) {
    EXPECT_EQ(value, json::value(json::object())) << operation.path << " takes a body";
    return;
  }
  for (const auto& finding : Rules().Check(*schema, value)) {
    ADD_FAILURE() << "a body that " << operation.path << " takes: " << finding;
  }
}

void CheckContent(const json::object& documented, const std::string& where, const SeenResponse& response) {
  const auto* content = documented.if_contains("content");
  if (!content) {
    EXPECT_EQ(response.body, "") << where;
    return;
  }
  const std::string type(response.content_type, 0, response.content_type.find(';'));
  const auto* media = content->as_object().if_contains(type);
  if (!media) {
    ADD_FAILURE() << where << " has the type " << type;
    return;
  }
  if (type != "application/json") return;
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(response.body.data(), response.body.size()), error);
  EXPECT_FALSE(error) << where << ": " << response.body;
  for (const auto& finding : Rules().Check(media->as_object().at("schema"), value)) {
    ADD_FAILURE() << where << ": " << finding;
  }
}

}  // namespace

const json::value& ApiDocument() {
  static const json::value document = [] {
    std::ifstream in(HSW_SOURCE_DIR "/core/admin/openapi.json", std::ios::binary);
    return json::parse(std::string(std::istreambuf_iterator<char>(in), {}), {}, DeepEnoughForConfigs());
  }();
  return document;
}

const json::object& Resolved(const json::value& value) {
  const auto* reference = value.as_object().if_contains("$ref");
  return reference ? Rules().Find(reference->as_string())->as_object() : value.as_object();
}

std::vector<DocumentedOperation> DocumentedOperations() {
  std::vector<DocumentedOperation> operations;
  for (const auto& [path, methods] : ApiDocument().at("paths").as_object()) {
    for (const auto& [method, what] : methods.as_object()) {
      std::string upper(method);
      std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      operations.push_back({upper, std::string(path), &what.as_object()});
    }
  }
  return operations;
}

std::vector<const json::object*> QueryOf(const DocumentedOperation& operation) {
  std::vector<const json::object*> query;
  const auto* parameters = operation.what->if_contains("parameters");
  if (!parameters) return query;
  for (const auto& one : parameters->as_array()) {
    if (Resolved(one).at("in") == "query") query.push_back(&Resolved(one));
  }
  return query;
}

const json::value* BodyOf(const DocumentedOperation& operation) {
  const auto* body = operation.what->if_contains("requestBody");
  return body ? &body->at("content").at("application/json").at("schema") : nullptr;
}

void ExpectDocumented(std::string_view method, std::string_view target, std::string_view request_body,
                      const SeenResponse& response) {
  const auto mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  const std::string status = std::to_string(response.status);
  const DocumentedOperation* operation = OperationOf(method, path);
  if (!operation) {
    const std::string where = std::string(method) + ' ' + std::string(path) + ", which is not documented: " + status;
    EXPECT_TRUE(response.status == 401 || response.status == 403 || response.status == 404 || response.status == 405)
        << where;
    const json::value value = json::parse(json::string_view(response.body.data(), response.body.size()));
    for (const auto& finding : Rules().Check(*Rules().Find("#/components/schemas/Error"), value)) {
      ADD_FAILURE() << where << ": " << finding;
    }
    return;
  }
  const std::string where = operation->method + ' ' + operation->path + ' ' + status;
  {
    MutexLock lock(mu);
    seen.insert(where);
  }
  const auto* documented = operation->what->at("responses").as_object().if_contains(status);
  if (!documented) {
    ADD_FAILURE() << where << " is not documented: " << response.body;
    return;
  }
  const json::object& expected = Resolved(*documented);
  CheckContent(expected, where, response);
  if (const auto* headers = expected.if_contains("headers")) {
    for (const auto& [name, what] : headers->as_object()) {
      const auto* required = what.as_object().if_contains("required");
      const bool has = std::ranges::any_of(
          response.headers, [&, wanted = name](const auto& one) { return EqualsIgnoreCase(one.first, wanted); });
      EXPECT_TRUE(has || !required || !required->as_bool()) << where << " lacks " << name;
    }
  }
  if (response.status < 300) CheckRequest(*operation, target.substr(std::min(mark + 1, target.size())), request_body);
}

void ExpectDocumented(std::string_view request_line, std::string_view answer) {
  const auto blank = request_line.find(' ');
  const std::string_view target = request_line.substr(blank + 1, request_line.find(' ', blank + 1) - blank - 1);
  SeenResponse seen;
  const auto head = std::min(answer.find("\r\n\r\n"), answer.size());
  std::istringstream lines{std::string(answer.substr(0, head))};
  std::string line;
  std::getline(lines, line);
  seen.status = std::stoi(line.substr(line.find(' ') + 1));
  while (std::getline(lines, line)) {
    const auto colon = line.find(": ");
    seen.headers.emplace_back(line.substr(0, colon), Trim(std::string_view(line).substr(colon + 2)));
    if (EqualsIgnoreCase(seen.headers.back().first, "Content-Type")) seen.content_type = seen.headers.back().second;
  }
  seen.body = answer.substr(std::min(head + 4, answer.size()));
  ExpectDocumented(request_line.substr(0, blank), target, "", seen);
}

void ExpectDocumentedMessage(std::string_view kind, const json::value& data) {
  const json::object& messages =
      ApiDocument().at("paths").at("/api/v1/stream").at("get").at("responses").at("200").at("x-messages").as_object();
  const auto* schema = messages.if_contains(json::string_view(kind.data(), kind.size()));
  EXPECT_NE(schema, nullptr) << "a message of the stream: " << kind;
  if (!schema) return;
  for (const auto& finding : Rules().Check(*schema, data)) {
    ADD_FAILURE() << "a message of the stream: " << kind << ": " << finding;
  }
}

std::set<std::string> SeenStatuses() {
  MutexLock lock(mu);
  return seen;
}

}  // namespace hookswitch
