#include "views/pages/compare/figure_grid.h"

#include <QGridLayout>
#include <QLabel>

#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kRowSpacing = 3;

}  // namespace

FigureGrid::FigureGrid(QWidget* parent) : QScrollArea(parent) {
    setBackgroundRole(QPalette::Base);
    setWidgetResizable(true);
    setFrameShape(NoFrame);
    setFocusPolicy(Qt::NoFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);  // scrolls where the window is low
    // The verdict's colours belong to a theme.
    connect(&Theme::instance(), &Theme::themeChanged, this, &FigureGrid::rebuild);
}

void FigureGrid::setFigures(const QString& nameA, const QString& nameB, std::vector<CompareFigure> figures) {
    m_nameA = nameA;
    m_nameB = nameB;
    m_figures = std::move(figures);
    rebuild();
}

QSize FigureGrid::sizeHint() const {
    return widget() ? widget()->sizeHint() : QScrollArea::sizeHint();
}

QSize FigureGrid::minimumSizeHint() const {
    constexpr int kLeastRows = 4;
    return {0, kLeastRows * (fontMetrics().height() + kRowSpacing)};
}

void FigureGrid::rebuild() {
    auto* content = new QWidget;
    content->setBackgroundRole(QPalette::Base);
    auto* grid = new QGridLayout(content);
    grid->setContentsMargins(kGrid, kGrid / 2, kGrid, kGrid);
    grid->setHorizontalSpacing(kGrid + 2);
    grid->setVerticalSpacing(kRowSpacing);
    for (const int column : {1, 2}) grid->setColumnStretch(column, 1);
    const auto put = [&](const QString& text, int row, int column) {
        // Long tensor names give way, they must not widen the page.
        QLabel* label = column == 0 || column == 3 ? new QLabel(text, content) : new ElidedLabel(text, content, Qt::ElideMiddle);
        label->setFont(Theme::figuresFont());
        if (column == 0) label->setForegroundRole(QPalette::PlaceholderText);
        grid->addWidget(label, row, column);
        return label;
    };
    const auto bold = [&](QLabel* label) { label->setFont(Theme::systemFont(0, true)); };
    bold(put(QStringLiteral("A  ") + m_nameA, 0, 1));
    bold(put(QStringLiteral("B  ") + m_nameB, 0, 2));
    for (size_t at = 0; at < m_figures.size(); ++at) {
        const CompareFigure& figure = m_figures[at];
        const int row = static_cast<int>(at) + 1;
        put(figure.name, row, 0);
        put(figure.a, row, 1);
        put(figure.b, row, 2);
        QLabel* change = put(figure.change, row, 3);
        const ThemeColours& colours = Theme::instance().colours();
        QPalette palette = change->palette();
        palette.setColor(QPalette::WindowText, figure.verdict == CompareFigure::Verdict::Better  ? colours.good
                                               : figure.verdict == CompareFigure::Verdict::Worse ? colours.bad
                                                                                                 : colours.text);
        change->setPalette(palette);
    }
    setWidget(content);
    updateGeometry();
}

}  // namespace strobe
