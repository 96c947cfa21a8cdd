#include "views/pages/compare/answer_tile.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kBar = 3;
constexpr double kTint = 0.06;  // more, and the coloured headline falls under 4.5:1

using Verdict = CompareFigure::Verdict;

QString signOf(const CompareAnswer& answer) {
    return answer.verdict == Verdict::Better ? QStringLiteral("✓ ") : answer.verdict == Verdict::Worse ? QStringLiteral("✗ ") : answer.isDoubtful ? QStringLiteral("! ") : QString();
}

}  // namespace

AnswerTile::AnswerTile(QWidget* parent)
    : QWidget(parent),
      m_headline(new ElidedLabel({}, this)),
      m_detail(new ElidedLabel({}, this)),
      m_remedy(new QPushButton(this)) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(kBar + kGrid + 1, 5, kGrid, 5);
    layout->setSpacing(kGrid);
    auto* lines = new QVBoxLayout;
    lines->setSpacing(0);
    lines->addWidget(m_headline);
    lines->addWidget(m_detail);
    layout->addLayout(lines, 1);
    layout->addWidget(m_remedy, 0, Qt::AlignVCenter);
    m_remedy->hide();
    connect(m_remedy, &QPushButton::clicked, this, &AnswerTile::remedyRequested);
    m_headline->setFont(Theme::systemFont(1, true));
    m_detail->setFont(Theme::figuresFont());
    m_detail->setLines(3);
    m_detail->setForegroundRole(QPalette::PlaceholderText);
    connect(&Theme::instance(), &Theme::themeChanged, this, &AnswerTile::recolour);
}

void AnswerTile::setAnswer(const CompareAnswer& answer) {
    m_answer = answer;
    m_headline->setText(signOf(answer) + answer.headline);
    m_detail->setText(answer.detail);
    setAccessibleName(answer.headline);
    m_remedy->setVisible(answer.isDoubtful && !m_remedy->text().isEmpty());
    recolour();
}

void AnswerTile::setRemedy(const QString& text) {
    m_remedy->setText(text);
    m_remedy->setVisible(m_answer.isDoubtful && !text.isEmpty());
}

QString AnswerTile::headline() const {
    return m_answer.headline;
}

QColor AnswerTile::colour() const {
    const ThemeColours& c = Theme::instance().colours();
    return m_answer.verdict == Verdict::Better ? c.good : m_answer.verdict == Verdict::Worse ? c.bad : m_answer.isDoubtful ? c.warning : c.secondary;
}

void AnswerTile::recolour() {
    const ThemeColours& c = Theme::instance().colours();
    QPalette palette = m_headline->palette();
    palette.setColor(QPalette::WindowText, m_answer.verdict == Verdict::None && !m_answer.isDoubtful ? c.text : colour());
    m_headline->setPalette(palette);
    update();
}

void AnswerTile::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    recolour();  // a label that is first shown in another theme than it was made in keeps that one's colour
}

void AnswerTile::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), Theme::instance().tint(colour(), kTint));
    painter.fillRect(0, 0, kBar, height(), colour());
}

}  // namespace strobe
