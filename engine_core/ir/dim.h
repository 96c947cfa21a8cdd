#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine_core/base/status.h"

namespace strobe {

/// Values of symbols for one concrete run: "N" → 4.
using SymbolValues = std::map<std::string, int64_t, std::less<>>;

class DimExpr;

/// One extent: a constant, or an integer expression over symbols kept in a canonical form (a polynomial over symbols,
/// floor divisions, minima, maxima, broadcasts and products too large to be multiplied out), so that equal expressions
/// compare equal. A cheap immutable value.
class Dim {
public:
    Dim() = default;
    Dim(int64_t value) : m_constant(value) {}
    static Dim symbol(std::string name);
    /// Reads the text that toString() writes.
    static Result<Dim> parse(std::string_view text);

    bool isConstant() const { return !m_expr; }
    /// Requires isConstant().
    int64_t constant() const { return m_constant; }
    bool isConstant(int64_t value) const { return !m_expr && m_constant == value; }
    /// The name when this is a lone symbol.
    std::optional<std::string> symbolName() const;
    void collectSymbols(std::set<std::string>& into) const;

    /// nullopt: a symbol has no value, a division by zero, or an overflow of 64 bits.
    std::optional<int64_t> evaluate(const SymbolValues& values) const;
    /// A bound that holds whatever the symbols are, given that symbols are extents (0 or more). nullopt: none found.
    std::optional<int64_t> lowerBound() const;
    /// The same expression with some symbols replaced.
    Dim substitute(const std::map<std::string, Dim>& values) const;
    std::string toString() const;

    friend Dim operator+(const Dim& a, const Dim& b);
    friend Dim operator-(const Dim& a, const Dim& b);
    friend Dim operator*(const Dim& a, const Dim& b);
    friend bool operator==(const Dim& a, const Dim& b);
    friend bool operator!=(const Dim& a, const Dim& b) { return !(a == b); }
    static Dim floorDiv(const Dim& a, const Dim& b);
    static Dim ceilDiv(const Dim& a, const Dim& b);
    static Dim mod(const Dim& a, const Dim& b);
    static Dim max(const Dim& a, const Dim& b);
    static Dim min(const Dim& a, const Dim& b);
    /// What two extents that fit broadcast to: the one that is not 1. Not their maximum, for 0 and 1 make 0.
    static Dim broadcast(const Dim& a, const Dim& b);

private:
    friend class DimExpr;
    explicit Dim(std::shared_ptr<const DimExpr> expr) : m_expr(std::move(expr)) {}
    int64_t m_constant = 0;
    std::shared_ptr<const DimExpr> m_expr;
};

/// Symbolic extents of a tensor, outermost first. Rank 0 is a scalar.
using Shape = std::vector<Dim>;
/// Concrete extents.
using Dims = std::vector<int64_t>;

std::string toString(const Shape& shape);
std::string toString(const Dims& dims);
Dim elementCount(const Shape& shape);
int64_t elementCount(const Dims& dims);
bool isConstant(const Shape& shape);
/// Requires isConstant(shape).
Dims toDims(const Shape& shape);
Shape toShape(const Dims& dims);
/// nullopt when a dim has no value under `values` or is negative.
std::optional<Dims> evaluate(const Shape& shape, const SymbolValues& values);

}  // namespace strobe
