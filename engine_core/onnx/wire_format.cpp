#include "engine_core/onnx/wire_format.h"

#include <cstring>
#include <utility>

namespace strobe {
namespace {

enum class FieldKind : uint8_t { Varint, Varints, Fixed32, Fixed32s, Fixed64s, Bytes, Message, Messages, RawData };

struct MessageSpec;
struct FieldSpec {
    uint32_t number;
    FieldKind kind;
    const char* name;
    const MessageSpec* message = nullptr;
};
struct MessageSpec {
    const char* name;
    std::span<const FieldSpec> fields;
};

extern const MessageSpec kEntry, kOpset, kTensor, kSegment, kSparseTensor, kShape, kDimension, kType, kTensorType,
    kElementType, kMapType, kValueInfo, kAttribute, kNode, kGraph, kAnnotation, kFunction, kModel;

using enum FieldKind;
constexpr FieldSpec kEntryFields[] = {{1, Bytes, "key"}, {2, Bytes, "value"}};
constexpr FieldSpec kOpsetFields[] = {{1, Bytes, "domain"}, {2, Varint, "version"}};
constexpr FieldSpec kSegmentFields[] = {{1, Varint, "begin"}, {2, Varint, "end"}};
constexpr FieldSpec kTensorFields[] = {
    {1, Varints, "dims"},          {2, Varint, "data_type"},     {3, Message, "segment", &kSegment},
    {4, Fixed32s, "float_data"},   {5, Varints, "int32_data"},   {6, Bytes, "string_data"},
    {7, Varints, "int64_data"},    {8, Bytes, "name"},           {9, RawData, "raw_data"},
    {10, Fixed64s, "double_data"}, {11, Varints, "uint64_data"}, {13, Messages, "external_data", &kEntry},
    {14, Varint, "data_location"}};
constexpr FieldSpec kSparseTensorFields[] = {
    {1, Message, "values", &kTensor}, {2, Message, "indices", &kTensor}, {3, Varints, "dims"}};
constexpr FieldSpec kDimensionFields[] = {{1, Varint, "dim_value"}, {2, Bytes, "dim_param"}};
constexpr FieldSpec kShapeFields[] = {{1, Messages, "dim", &kDimension}};
constexpr FieldSpec kTensorTypeFields[] = {{1, Varint, "elem_type"}, {2, Message, "shape", &kShape}};
constexpr FieldSpec kElementTypeFields[] = {{1, Message, "elem_type", &kType}};
constexpr FieldSpec kMapTypeFields[] = {{1, Varint, "key_type"}, {2, Message, "value_type", &kType}};
constexpr FieldSpec kTypeFields[] = {{1, Message, "tensor_type", &kTensorType},
                                     {4, Message, "sequence_type", &kElementType},
                                     {5, Message, "map_type", &kMapType},
                                     {8, Message, "sparse_tensor_type", &kTensorType},
                                     {9, Message, "optional_type", &kElementType}};
constexpr FieldSpec kValueInfoFields[] = {{1, Bytes, "name"}, {2, Message, "type", &kType}};
constexpr FieldSpec kAttributeFields[] = {{1, Bytes, "name"},
                                          {2, Fixed32, "f"},
                                          {3, Varint, "i"},
                                          {4, Bytes, "s"},
                                          {5, Message, "t", &kTensor},
                                          {6, Message, "g", &kGraph},
                                          {7, Fixed32s, "floats"},
                                          {8, Varints, "ints"},
                                          {9, Bytes, "strings"},
                                          {10, Messages, "tensors", &kTensor},
                                          {11, Messages, "graphs", &kGraph},
                                          {14, Message, "tp", &kType},
                                          {15, Messages, "type_protos", &kType},
                                          {20, Varint, "type"},
                                          {21, Bytes, "ref_attr_name"},
                                          {22, Message, "sparse_tensor", &kSparseTensor},
                                          {23, Messages, "sparse_tensors", &kSparseTensor}};
constexpr FieldSpec kNodeFields[] = {{1, Bytes, "input"},
                                     {2, Bytes, "output"},
                                     {3, Bytes, "name"},
                                     {4, Bytes, "op_type"},
                                     {5, Messages, "attribute", &kAttribute},
                                     {7, Bytes, "domain"},
                                     {8, Bytes, "overload"}};
constexpr FieldSpec kAnnotationFields[] = {{1, Bytes, "tensor_name"},
                                           {2, Messages, "quant_parameter_tensor_names", &kEntry}};
constexpr FieldSpec kGraphFields[] = {{1, Messages, "node", &kNode},
                                      {2, Bytes, "name"},
                                      {5, Messages, "initializer", &kTensor},
                                      {11, Messages, "input", &kValueInfo},
                                      {12, Messages, "output", &kValueInfo},
                                      {13, Messages, "value_info", &kValueInfo},
                                      {14, Messages, "quantization_annotation", &kAnnotation},
                                      {15, Messages, "sparse_initializer", &kSparseTensor}};
constexpr FieldSpec kFunctionFields[] = {{1, Bytes, "name"},
                                         {4, Bytes, "input"},
                                         {5, Bytes, "output"},
                                         {6, Bytes, "attribute"},
                                         {7, Messages, "node", &kNode},
                                         {9, Messages, "opset_import", &kOpset},
                                         {10, Bytes, "domain"},
                                         {11, Messages, "attribute_proto", &kAttribute},
                                         {12, Messages, "value_info", &kValueInfo},
                                         {13, Bytes, "overload"}};
constexpr FieldSpec kModelFields[] = {{1, Varint, "ir_version"},
                                      {2, Bytes, "producer_name"},
                                      {3, Bytes, "producer_version"},
                                      {4, Bytes, "domain"},
                                      {5, Varint, "model_version"},
                                      {7, Message, "graph", &kGraph},
                                      {8, Messages, "opset_import", &kOpset},
                                      {14, Messages, "metadata_props", &kEntry},
                                      {25, Messages, "functions", &kFunction}};

const MessageSpec kEntry{"StringStringEntryProto", kEntryFields}, kOpset{"OperatorSetIdProto", kOpsetFields},
    kTensor{"TensorProto", kTensorFields}, kSegment{"TensorProto.Segment", kSegmentFields},
    kSparseTensor{"SparseTensorProto", kSparseTensorFields}, kShape{"TensorShapeProto", kShapeFields},
    kDimension{"TensorShapeProto.Dimension", kDimensionFields}, kType{"TypeProto", kTypeFields},
    kTensorType{"TypeProto.Tensor", kTensorTypeFields}, kElementType{"TypeProto element", kElementTypeFields},
    kMapType{"TypeProto.Map", kMapTypeFields}, kValueInfo{"ValueInfoProto", kValueInfoFields},
    kAttribute{"AttributeProto", kAttributeFields}, kNode{"NodeProto", kNodeFields}, kGraph{"GraphProto", kGraphFields},
    kAnnotation{"TensorAnnotation", kAnnotationFields}, kFunction{"FunctionProto", kFunctionFields},
    kModel{"ModelProto", kModelFields};

enum WireType : uint32_t { kWireVarint = 0, kWire64 = 1, kWireBytes = 2, kWire32 = 5 };
const char* const kWireNames[] = {"varint", "64-bit", "length-delimited", "group start", "group end", "32-bit",
                                  "6",      "7"};

bool wireTypeFits(FieldKind kind, uint32_t wire) {
    switch (kind) {
        case Varint:
            return wire == kWireVarint;
        case Varints:
            return wire == kWireVarint || wire == kWireBytes;
        case Fixed32:
            return wire == kWire32;
        case Fixed32s:
            return wire == kWire32 || wire == kWireBytes;
        case Fixed64s:
            return wire == kWire64 || wire == kWireBytes;
        case Bytes:
        case Message:
        case Messages:
        case RawData:
            return wire == kWireBytes;
    }
    return false;
}

void appendVarint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

/// Most slim files are far below this; protobuf itself refuses 2 GiB.
constexpr size_t kMaxSlimBytes = size_t{1} << 30;
constexpr size_t kLengthBytes = 5;  // a padded varint, patched when the message's slim length is known

class Walker {
public:
    Walker(std::span<const uint8_t> file, const CancelToken& cancel) : m_file(file), m_cancel(cancel) {}

    Status walk(const MessageSpec& spec, size_t begin, size_t end, int nesting, int subgraphs) {
        if (++m_messages > kMaxMessages)
            return invalidModel("more than " + std::to_string(kMaxMessages) +
                                " protobuf messages; a model has far fewer, check the file");
        if ((m_messages & 0xfff) == 0 && m_cancel.isCancelled()) return cancelled();
        if (&spec == &kGraph) {
            nesting = 0;
            if (subgraphs > kMaxSubgraphDepth)
                return invalidModel("graphs are nested more than " + std::to_string(kMaxSubgraphDepth) +
                                    " deep (at byte " + std::to_string(begin) + "); at most " +
                                    std::to_string(kMaxSubgraphDepth) + " bodies within bodies are allowed");
        }
        if (nesting > kMaxMessageNesting)
            return invalidModel(std::string(spec.name) + " at byte " + std::to_string(begin) + " is nested more than " +
                                std::to_string(kMaxMessageNesting) + " messages deep");
        bool seenGraph = false;
        for (size_t at = begin; at < end;) {
            const size_t fieldStart = at;
            STROBE_ASSIGN(const uint64_t tag, varint(spec, at, end));
            const uint64_t number = tag >> 3;
            const auto wire = static_cast<uint32_t>(tag & 7);
            if (number == 0 || number > 0x1fffffff)
                return invalidModel(std::string(spec.name) + " holds field number " + std::to_string(number) +
                                    " at byte " + std::to_string(fieldStart) +
                                    "; the file is damaged or no ONNX model");
            const FieldSpec* field = findField(spec, static_cast<uint32_t>(number));
            if (field && !wireTypeFits(field->kind, wire))
                return invalidModel(std::string(spec.name) + "." + field->name + " at byte " +
                                    std::to_string(fieldStart) + " has wire type " + kWireNames[wire] +
                                    ", which that field cannot have; the file is damaged or no ONNX model");
            if (field && spec.name == kModel.name && field->message == &kGraph && std::exchange(seenGraph, true))
                return invalidModel("ModelProto holds field 'graph' twice (second at byte " +
                                    std::to_string(fieldStart) + "); one is allowed");
            STROBE_RETURN_IF_ERROR(copyField(spec, field, fieldStart, wire, at, end, nesting, subgraphs));
        }
        return Status::ok();
    }
    std::string take() { return std::move(m_out); }

private:
    static const FieldSpec* findField(const MessageSpec& spec, uint32_t number) {
        for (const FieldSpec& field : spec.fields)
            if (field.number == number) return &field;
        return nullptr;
    }

    Status truncated(const MessageSpec& spec, size_t at) const {
        return invalidModel(std::string(spec.name) + " ends in the middle of a field at byte " + std::to_string(at) +
                            " of " + std::to_string(m_file.size()) +
                            "; the file is truncated or damaged, fetch it again");
    }

    Result<uint64_t> varint(const MessageSpec& spec, size_t& at, size_t end) const {
        uint64_t value = 0;
        const size_t start = at;
        for (int shift = 0; shift < 70; shift += 7) {
            if (at >= end) return truncated(spec, start);
            const uint8_t byte = m_file[at++];
            if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (!(byte & 0x80)) return value;
        }
        return invalidModel(std::string(spec.name) + " holds a number of more than 10 bytes at byte " +
                            std::to_string(start) + "; the file is damaged");
    }

    Status copyField(const MessageSpec& spec, const FieldSpec* field, size_t fieldStart, uint32_t wire, size_t& at,
                     size_t end, int nesting, int subgraphs) {
        size_t payload = at, length = 0;
        switch (wire) {
            case kWireVarint: {
                STROBE_ASSIGN([[maybe_unused]] const uint64_t value, varint(spec, at, end));
                break;
            }
            case kWire64:
                length = 8;
                break;
            case kWire32:
                length = 4;
                break;
            case kWireBytes: {
                STROBE_ASSIGN(const uint64_t stated, varint(spec, at, end));
                payload = at;
                if (stated > end - at)
                    return invalidModel(std::string(spec.name) +
                                        (field ? std::string(".") + field->name : std::string()) + " at byte " +
                                        std::to_string(fieldStart) + " states " + std::to_string(stated) +
                                        " bytes, only " + std::to_string(end - at) +
                                        " follow in its message; the file is truncated or damaged, fetch it again");
                length = stated;
                break;
            }
            default:
                return invalidModel(std::string(spec.name) + " has wire type " + kWireNames[wire] + " at byte " +
                                    std::to_string(fieldStart) +
                                    ", which ONNX does not use; the file is damaged or no ONNX model");
        }
        if (length > end - at) return truncated(spec, fieldStart);
        at += length;
        if (!field) return Status::ok();
        if (m_out.size() + length > kMaxSlimBytes && field->kind != RawData && !field->message)
            return invalidModel(
                "more than 1 GiB lies outside raw tensor data; store weights as raw_data or external data");
        if (field->message) return copyMessage(*field, payload, at, nesting, subgraphs);
        if (field->kind == RawData) {
            appendVarint(m_out, (field->number << 3) | kWireBytes);
            const std::string marker = encodeRawRange({payload, length});
            appendVarint(m_out, marker.size());
            m_out += marker;
        } else {
            m_out.append(reinterpret_cast<const char*>(m_file.data()) + fieldStart, at - fieldStart);
        }
        return Status::ok();
    }

    Status copyMessage(const FieldSpec& field, size_t begin, size_t end, int nesting, int subgraphs) {
        appendVarint(m_out, (field.number << 3) | kWireBytes);
        const size_t lengthAt = m_out.size();
        m_out.append(kLengthBytes, '\0');
        STROBE_RETURN_IF_ERROR(walk(*field.message, begin, end, nesting + 1,
                                    subgraphs + (field.message == &kGraph && m_graphs++ ? 1 : 0)));
        uint64_t length = m_out.size() - lengthAt - kLengthBytes;
        for (size_t i = 0; i < kLengthBytes; ++i, length >>= 7)
            m_out[lengthAt + i] = static_cast<char>((length & 0x7f) | (i + 1 < kLengthBytes ? 0x80 : 0));
        return Status::ok();
    }

    std::span<const uint8_t> m_file;
    const CancelToken& m_cancel;
    std::string m_out;
    int64_t m_messages = 0;
    int64_t m_graphs = 0;  // the first is the model's own
};

}  // namespace

Result<SlimBytes> slimDown(std::span<const uint8_t> file, WireRoot root, const CancelToken& cancel) {
    Walker walker(file, cancel);
    STROBE_RETURN_IF_ERROR(walker.walk(root == WireRoot::Model ? kModel : kTensor, 0, file.size(), 0, 0));
    return SlimBytes{walker.take()};
}

std::string encodeRawRange(RawRange range) {
    std::string marker(sizeof range, '\0');
    std::memcpy(marker.data(), &range, sizeof range);
    return marker;
}

RawRange decodeRawRange(const std::string& marker) {
    RawRange range;
    if (marker.size() == sizeof range) std::memcpy(&range, marker.data(), sizeof range);
    return range;
}

}  // namespace strobe
