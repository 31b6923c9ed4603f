import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import { labelOf, useCanvas } from './context';
import { targetOf, type Step } from './graph';
import { Icon } from './Icon';
import { MarkTag, NoteBadge } from './Marks';
import { NumbersRow } from './NumbersRow';

export type StepFlowNode = Node<{ step: Step }, 'step'>;

/** One step on the canvas: what it is, what it says, what is wrong, and its ways out. */
export const StepNode = memo(function StepNode({ data, selected }: NodeProps<StepFlowNode>) {
  const { step } = data;
  const canvas = useCanvas();
  const { t, world } = canvas;
  const kind = world.kindOf(step.kind);
  const problems = canvas.problemsOf(step.id);
  const errors = problems.filter((one) => one.severity === 'error');
  const numbers = canvas.numbersOf(step.id);
  const ports = [...world.portsOf(step)];
  if (canvas.isRtl) ports.reverse();
  const role = kind?.role ?? 'step';
  const classes = [
    'triggers-node',
    `triggers-node--${role}`,
    selected ? 'triggers-node--selected' : '',
    errors.length > 0 ? 'triggers-node--error' : '',
    canvas.markOf(step.id) ? `triggers-node--${canvas.markOf(step.id)}` : '',
  ];
  return (
    <div className={classes.join(' ')} dir={canvas.isRtl ? 'rtl' : 'ltr'}>
      {role === 'step' && (
        <Handle type="target" position={Position.Top} isConnectable={!canvas.readOnly} />
      )}
      <div className="triggers-node__icon">
        <Icon name={kind?.icon ?? 'warning'} />
      </div>
      <div className="triggers-node__text">
        <div className="triggers-node__kind">
          {kind?.label ?? step.kind} <MarkTag step={step} />
        </div>
        <div className="triggers-node__sentence" title={canvas.sentenceOf(step)}>
          {canvas.sentenceOf(step) === kind?.label ? '' : canvas.sentenceOf(step)}
        </div>
      </div>
      {problems.length > 0 && (
        <div
          className={`triggers-node__problem triggers-node__problem--${errors.length > 0 ? 'error' : 'warning'}`}
          title={problems.map((one) => one.message).join('\n')}
        >
          <Icon name="warning" />
          <span className="w-sr-only">{t('problems', { n: problems.length })}</span>
        </div>
      )}
      <NoteBadge step={step} />
      {canvas.hasNumbers && <NumbersRow numbers={numbers} />}
      {role !== 'watch' && ports.length > 0 && (
        <div className="triggers-node__ports">
          {ports.map((port) => (
            <div className="triggers-node__port" key={port[0]}>
              {ports.length > 1 && (
                <span className="triggers-node__port-label" title={labelOf(port)}>
                  {labelOf(port)}
                </span>
              )}
              <Handle
                type="source"
                id={port[0]}
                position={Position.Bottom}
                isConnectable={!canvas.readOnly}
              />
              {!canvas.readOnly &&
                targetOf(canvas.graph, { source: step.id, port: port[0] }) === undefined && (
                  <button
                    type="button"
                    className="triggers-canvas__plus triggers-canvas__plus--loose nodrag nopan"
                    tabIndex={-1}
                    aria-label={t('add_to_port', { port: labelOf(port) })}
                    title={t('add_to_port', { port: labelOf(port) })}
                    onClick={(event) => {
                      event.stopPropagation();
                      canvas.pick({ source: step.id, port: port[0] });
                    }}
                  >
                    <Icon name="plus" />
                  </button>
                )}
            </div>
          ))}
        </div>
      )}
    </div>
  );
});
